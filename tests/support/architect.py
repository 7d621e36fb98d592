"""Plays an Architect flow in its YAML form, for as much of Architect as the flows here use.

It shows that the logic of a flow is right, not that Genesys Cloud accepts the file. What it does not know, an action, a
way to give a value, a function, fails the test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

type DataAction = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Name and inputs → outputs. Raises DataActionError or TimeoutError."""


class DataActionError(Exception):
    """The data action takes its failure path."""


class _Ended(Exception):  # noqa: N818 - the ordinary end of a call
    """The call has left the flow."""


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Append": lambda *texts: "".join(texts),
    "ToAudioBlank": lambda milliseconds: "",
    "ToAudioTTS": lambda text: text,
    "ToString": lambda value: str(value).lower() if isinstance(value, bool) else str(value),
}


@dataclass
class Call:
    """One call, and what has become of it when it has left the flow."""

    ani: str
    keys: str = ""
    """What the caller enters when asked; nothing if empty."""
    said: list[str] = field(default_factory=list)
    invoked: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    queue: str = ""


@dataclass
class Flow:
    """A flow with what it reaches."""

    document: Mapping[str, Any]
    data_action: DataAction
    queues: Mapping[str, str]
    """Id → name of the queues that exist."""
    closed: frozenset[str] = frozenset()
    """Names of queues to which transfers fail."""

    def play(self, call: Call) -> Call:
        body = self.document["inboundCall"]
        variables = {}
        for entry in body["variables"]:
            ((_, variable),) = entry.items()
            variables[variable["name"].removeprefix("Flow.")] = _constant(variable["initialValue"])
        scope = _Scope(call, SimpleNamespace(**variables))
        tasks = {f"./tasks/task[{entry['task']['refId']}]": entry["task"] for entry in body["tasks"]}
        scope.say(body["initialGreeting"])
        try:
            self._actions(tasks[body["startUpRef"]]["actions"], scope)
        except _Ended:
            return call
        raise AssertionError("the flow ends without having disconnected or transferred the call")

    def _actions(self, actions: list[dict[str, Any]], scope: "_Scope") -> None:
        for entry in actions:
            ((kind, action),) = entry.items()
            output = getattr(self, f"_{kind}")(action, scope)
            if output:
                self._actions(action["outputs"].get(output, {}).get("actions", []), scope)

    # An action returns the name of the output that it takes, if it has outputs. They are named as in the YAML.

    def _callData(self, action: dict[str, Any], scope: "_Scope") -> str:  # noqa: N802
        ((_, category),) = action["category"].items()
        ((name, mapping),) = category["dataAction"].items()
        scope.call.invoked.append(name)
        inputs = {name: scope.value(value) for name, value in mapping["inputs"].items()}
        try:
            outputs = self.data_action(name, {name: value for name, value in inputs.items() if value is not None})
        except DataActionError:
            return "failure"
        except TimeoutError:
            return "timeout"
        for output, target in mapping["successOutputs"].items():
            scope.assign(target, outputs[output])
        return "success"

    def _collectInput(self, action: dict[str, Any], scope: "_Scope") -> str:  # noqa: N802
        scope.say(action["inputAudio"])
        if not scope.call.keys:
            return "failure"
        scope.assign(action["inputData"], scope.call.keys)
        return "success"

    def _decision(self, action: dict[str, Any], scope: "_Scope") -> str:
        condition = scope.value(action["condition"])
        assert isinstance(condition, bool)
        return "yes" if condition else "no"

    def _updateData(self, action: dict[str, Any], scope: "_Scope") -> None:  # noqa: N802
        for statement in action["statements"]:
            ((_, change),) = statement.items()
            scope.assign({"var": change["variable"]}, scope.value(change["value"]))

    def _setParticipantData(self, action: dict[str, Any], scope: "_Scope") -> None:  # noqa: N802
        for entry in action["attributes"]:
            value = scope.value(entry["attribute"]["value"])
            assert isinstance(value, str)
            scope.call.attributes[scope.value(entry["attribute"]["name"])] = value

    def _playAudio(self, action: dict[str, Any], scope: "_Scope") -> None:  # noqa: N802
        scope.say(action["audio"])

    def _findQueueById(self, action: dict[str, Any], scope: "_Scope") -> str:  # noqa: N802
        name = self.queues.get(scope.value(action["findId"]))
        if name is None:
            return "notFound"
        scope.assign(action["findResult"], name)
        return "found"

    def _transferToAcd(self, action: dict[str, Any], scope: "_Scope") -> None:  # noqa: N802
        scope.say(action["preTransferAudio"])
        queue = scope.value(action["targetQueue"])
        if queue in self.closed:
            scope.say(action["failureTransferAudio"])
            return
        scope.call.queue = queue
        raise _Ended

    def _disconnect(self, action: dict[str, Any], scope: "_Scope") -> None:
        raise _Ended


@dataclass
class _Scope:
    call: Call
    variables: SimpleNamespace

    def value(self, given: dict[str, Any]) -> Any:
        if "exp" not in given:
            return _constant(given)
        names = {
            "Flow": self.variables,
            "Call": SimpleNamespace(Ani=self.call.ani, ConversationId="conversation-1"),
            "__builtins__": {},
        }
        # The expressions here mean the same in Architect's language and in Python.
        return eval(given["exp"], names, _FUNCTIONS)  # noqa: S307 - a file of this repository

    def assign(self, target: dict[str, Any], value: Any) -> None:
        if target == {"noValue": True}:
            return
        name = target["var"].removeprefix("Flow.")
        assert hasattr(self.variables, name), f"Flow.{name} is not declared"
        setattr(self.variables, name, value)

    def say(self, audio: dict[str, Any]) -> None:
        if text := self.value(audio):
            self.call.said.append(text)


def _constant(given: dict[str, Any]) -> Any:
    ((kind, value),) = given.items()
    if kind == "noValue":
        return None
    assert kind in {"lit", "tts"}, f"{kind} is not known here"
    return value["name"] if isinstance(value, dict) else value
