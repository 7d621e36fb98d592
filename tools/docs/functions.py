"""The Lambda functions of docs/functions.md, from the catalog that the stacks are made of."""

from collections.abc import Iterable

from infra.catalog.functions import PARTS, Part
from infra.catalog.rights import Condition, Files, Invoke, Items, ReadSecret, SendTo, UseCache
from infra.catalog.triggers import Call, DataAction, Http, Queue, Step, Stream, Trigger
from tools.docs.markdown import code, table


def functions() -> str:
    """What each is for, what wakes it, and what it is given."""
    return table(
        ("function", "what for", "woken by", "time", "memory", "plane"),
        (
            (
                code(part.name) + (" (1)" if part.only_with_crm else ""),
                part.does,
                "; ".join(_trigger(each) for each in part.woken_by),
                _duration(part.timeout_seconds),
                f"{part.memory_mb:,} MB",
                part.plane,
            )
            for part in PARTS
        ),
    )


def rights() -> str:
    """What each may do in AWS with what is this environment's."""
    return table(
        ("function", "tables", "files", "besides"),
        ((code(part.name), _tables(part), _files(part), _others(part)) for part in PARTS),
    )


def _trigger(trigger: Trigger) -> str:
    match trigger:
        case Stream(table=of, only=only):
            return f"{'some ' if only else ''}changes in the table {code(of.name)}"
        case Queue(filled_by=who, fifo=fifo):
            return f"its queue{' (FIFO)' if fifo else ''}, filled by {who}"
        case Step(of=workflow):
            return f"the workflow {code(workflow.name)}, started by {workflow.started_by}"
        case DataAction():
            return "Genesys Cloud, in the conversation"
        case Call(by=caller):
            return f"{code(caller)}, where `genesys_fallback` is `sync`"
        case Http(path=path):
            return f"requests to {code(f'POST {path}')}"


def _duration(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _tables(part: Part) -> str:
    actions: dict[str, list[str]] = {}
    for right in part.may:
        if isinstance(right, Items):
            actions.setdefault(right.table.name, []).extend(f"{each}{_where(right.where)}" for each in right.actions)
    return _lines(f"{code(name)}: {', '.join(sorted(each))}" for name, each in actions.items())


def _files(part: Part) -> str:
    rights = (each for each in part.may if isinstance(each, Files))
    return _lines(f"{code(each.keys)}: {', '.join(each.actions)}" for each in rights)


def _others(part: Part) -> str:
    return _lines(_other(each) for each in part.may if not isinstance(each, Items | Files))


def _other(right: ReadSecret | SendTo | UseCache | Invoke) -> str:
    match right:
        case ReadSecret(secret=secret):
            return f"read the secret *{secret}*"
        case SendTo(queue=queue):
            return f"send to the queue of *{queue}*"
        case UseCache():
            return "connect to the cache"
        case Invoke(function=function, where=where):
            return f"invoke {code(function)}{_where(where)}"


def _where(condition: Condition | None) -> str:
    return f" (where {condition})" if condition else ""


def _lines(texts: Iterable[str]) -> str:
    return "<br>".join(texts)
