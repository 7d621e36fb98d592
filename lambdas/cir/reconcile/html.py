"""The report as one page: no script, nothing from elsewhere, no person in it. For light, dark and paper."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from cir.reconcile.result import STOPPED, Reconciled

_WIDTH, _ROW, _LABEL = 640, 26, 190
_STYLE = """
:root{color-scheme:light dark;--ink:#1c2330;--soft:#5d6878;--line:#d9dee7;--page:#fff;--card:#f5f7fa;--bar:#2f6fde;
--good:#1f8a4c;--bad:#c0392b;--warn:#b7791f}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf1;--soft:#9aa6b8;--line:#333c4b;--page:#12161d;--card:#1b212b;
--bar:#6a9cf5;--good:#55c884;--bad:#f0776a;--warn:#e0ad55}}
@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--page:#fff;--card:#fff;--bar:#345}
section{break-inside:avoid}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:2rem 1.25rem;background:var(--page);color:var(--ink);
font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.4rem 0}.soft{color:var(--soft)}
.verdict{border-left:.35rem solid var(--good);background:var(--card);padding:.8rem 1rem;margin:1.2rem 0}
.verdict.stopped{border-color:var(--bad)}.verdict.dry{border-color:var(--warn)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.7rem;padding:0;list-style:none}
.facts li{border:1px solid var(--line);background:var(--card);padding:.6rem .8rem;border-radius:.4rem}
.facts b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid var(--line);
vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.scroll{overflow-x:auto}
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font-size:13px}svg .bar{fill:var(--bar)}
svg .was{fill:var(--line)}svg .bad{fill:var(--bad)}code{font-size:.9em}
"""


def page(result: Reconciled) -> str:
    """The whole document."""
    plan = result.plan
    parts = [
        f"<h1>Reconciliation of {escape(result.source)} with Genesys Cloud</h1>",
        _when(result),
        _verdict(result),
        _facts(
            {
                "rows in the CRM": plan.rows,
                "unchanged": plan.unchanged,
                "changed": plan.changed,
                "new": plan.new,
                "gone from the CRM": plan.gone,
                "refused": plan.refused + result.loaded.get("refused", 0),
            }
        ),
        _drift(result),
        _audit(result),
        _fields(plan.filled),
        _accounting(result),
        _details(result),
    ]
    title = f"Reconciliation {result.name}: {result.outcome}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body><main>"
        + "".join(filter(None, parts))
        + "</main></body></html>\n"
    )


def _when(result: Reconciled) -> str:
    span = f"{_moment(result.started)} to {_moment(result.ended)} UTC, {result.seconds:,.0f} seconds"
    return f'<p class="soft">Run {escape(result.name)}, {span}</p>'


def _verdict(result: Reconciled) -> str:
    plan = result.plan
    reasons = "".join(f"<li>{escape(each)}</li>" for each in plan.stopped)
    if result.outcome == STOPPED:
        return (
            '<div class="verdict stopped"><p><strong>Stopped before anything was written.</strong> '
            f"What the CRM has shown does not look right:</p><ul>{reasons}</ul><p>Nothing in Genesys Cloud or in the "
            "index was changed. Look at the CRM and its connection; if all is as it should be, run "
            "<code>cir reconcile --force</code> once.</p></div>"
        )
    forced = f"<p>Somebody has looked and let it go on in spite of:</p><ul>{reasons}</ul>" if plan.stopped else ""
    if plan.dry_run:
        text = f"<strong>A dry run.</strong> {plan.repairs:,} customers would be written; nothing was."
        return f'<div class="verdict dry"><p>{text}</p>{forced}</div>'
    refused, postponed = result.loaded.get("refused", 0), len(plan.postponed)
    repaired = plan.repairs - refused - postponed
    text = f"<strong>{repaired:,} customers were repaired</strong>, {refused:,} were refused."
    if postponed:
        text += f" {postponed:,} were not, since others were changing them all the time: the next audit finds them."
    if not plan.repairs:
        text = "<strong>Nothing to repair.</strong> Genesys Cloud was given what the CRM holds."
    return f'<div class="verdict"><p>{text}</p>{forced}</div>'


def _drift(result: Reconciled) -> str:
    drift = result.plan.drift
    if not drift:
        return ""
    names = {"other fields": "other fields (1)"} if "other fields" in drift else {}
    bars = _bars([(names.get(name, name), number) for name, number in drift.most_common()])
    note = (
        '<p class="soft">(1) Only that something differs is known: the index holds the routing profile and the '
        "identifiers, and of the rest a fingerprint.</p>"
        if names
        else ""
    )
    kept = ", ".join(f"{name} of {number:,}" for name, number in result.plan.kept.most_common())
    besides = f"<p>Kept besides the CRM's: {escape(kept)} (from conversations or agents).</p>" if kept else ""
    return (
        "<section><h2>What differed, by field</h2>"
        f"{bars}<p>The CRM wins in every field that the mapping feeds, an empty value included. Phone numbers and "
        f"addresses that a customer has from elsewhere stay.</p>{besides}{note}</section>"
    )


def _audit(result: Reconciled) -> str:
    audit = result.audit
    if not audit:
        return ""
    facts = _facts(
        {
            "contacts read": audit.contacts,
            "looked at closely": audit.examined,
            "deleted in Genesys": audit.deleted,
            "appeared in Genesys": audit.appeared,
            "not shown by Genesys": audit.unseen,
        }
    )
    bars = _bars(audit.drift.most_common())
    others = _table(("Changed in Genesys, left as it is", "Contacts"), audit.foreign.most_common())
    return (
        f"<section><h2>Audit of Genesys Cloud itself (by {escape(audit.by)})</h2>{facts}"
        + (f"<p>Changed there although the CRM is master, and so written again:</p>{bars}" if audit.drift else "")
        + others
        + "</section>"
    )


def _fields(filled: Mapping[str, Sequence[float]]) -> str:
    if not filled:
        return ""
    rows = []
    for line, (name, (before, now)) in enumerate(filled.items()):
        y = line * _ROW
        span = _WIDTH - _LABEL - 60
        kind = "bad" if before >= 0.01 and now < before / 2 else "bar"
        rows.append(
            f'<text x="0" y="{y + 17}">{escape(name)}</text>'
            f'<rect class="was" x="{_LABEL}" y="{y + 3}" width="{span * min(before, 1):.1f}" height="18" rx="2"/>'
            f'<rect class="{kind}" x="{_LABEL}" y="{y + 7}" width="{span * min(now, 1):.1f}" height="10" rx="2"/>'
            f'<text x="{_WIDTH - 52}" y="{y + 17}">{now:.1%}</text>'
        )
    return (
        "<section><h2>How many customers have a value</h2>"
        f"{_svg(len(filled), rows, 'Share of rows with a value, by CRM field')}"
        '<p class="soft">Light behind: the last good run, or the index where there is none.</p></section>'
    )


def _accounting(result: Reconciled) -> str:
    plan = result.plan
    rows: list[tuple[str, int]] = [
        ("unchanged, no request to Genesys Cloud", plan.unchanged),
        ("changed", plan.changed),
        ("new", plan.new),
        ("written by somebody else meanwhile, left for the next run", plan.newer),
        ("share a contact with another record", plan.conflicts),
        ("refused: no usable id", plan.refused),
        ("an id that was there before", plan.doubled),
        ("deleted in the CRM", plan.deleted),
        ("opted out, or inactive", plan.opted_out),
        ("all rows", plan.rows),
    ]
    sums = "The numbers add up." if result.adds_up else "The numbers do not add up: tell whoever runs this system."
    loaded = [(f"repairs {name}", number) for name, number in result.loaded.items()]
    return (
        f"<section><h2>Every row, once</h2>{_table(('Rows', 'Number'), rows)}"
        f"{_table(('Repairs', 'Number'), loaded)}"
        f"{_table(('Contacts of customers that are gone', 'Number'), list(result.fates.items()))}"
        f"<p>{sums}</p></section>"
    )


def _details(result: Reconciled) -> str:
    plan = result.plan
    refusals = [(name, number) for name, number in plan.refusals.most_common()]
    refusals += [(f"{column}: {reason}", number) for column, reason, number in result.refused]
    parts = [
        ("Refused", _table(("Why", "Customers"), refusals)),
        ("Changed", _ids(("CRM id", "Contact", "What differs"), plan.examples, ("crmId", "contactId", "fields"))),
        ("Records that share a contact", _ids(("Contact", "CRM ids"), plan.shared, ("contactId", "crmIds"))),
        ("Gone from the CRM", _ids(("CRM id", "Contact"), plan.missing, ("crmId", "contactId"))),
        ("Not repaired", _ids(("Contact",), [{"contactId": each} for each in plan.postponed], ("contactId",))),
    ]
    if result.audit:
        columns = ("Contact", "Written again", "Left as it is")
        table = _ids(columns, result.audit.examples, ("contactId", "fields", "reportedOnly"))
        parts.append(("Changed in Genesys Cloud", table))
    return "".join(f"<section><h2>{title}</h2>{body}</section>" for title, body in parts if body)


def _facts(facts: Mapping[str, int]) -> str:
    return '<ul class="facts">' + "".join(f"<li><b>{n:,}</b>{escape(name)}</li>" for name, n in facts.items()) + "</ul>"


def _bars(values: Sequence[tuple[str, int]]) -> str:
    most = max((number for _, number in values), default=0) or 1
    span = _WIDTH - _LABEL - 80
    rows = []
    for line, (name, number) in enumerate(values):
        y, width = line * _ROW, max(span * number / most, 1)
        rows.append(
            f'<text x="0" y="{y + 17}">{escape(name)}</text>'
            f'<rect class="bar" x="{_LABEL}" y="{y + 4}" width="{width:.1f}" height="16" rx="2"/>'
            f'<text x="{_LABEL + width + 8:.1f}" y="{y + 17}">{number:,}</text>'
        )
    return _svg(len(values), rows, "Customers by field") if values else ""


def _svg(lines: int, rows: Iterable[str], label: str) -> str:
    size = f'width="{_WIDTH}" height="{lines * _ROW}" viewBox="0 0 {_WIDTH} {lines * _ROW}"'
    return f'<div class="scroll"><svg role="img" aria-label="{escape(label)}" {size}>{"".join(rows)}</svg></div>'


def _table(head: tuple[str, str], rows: Sequence[tuple[str, int]]) -> str:
    if not rows:
        return ""
    body = "".join(f'<tr><td>{escape(name)}</td><td class="n">{number:,}</td></tr>' for name, number in rows)
    return f'<table><thead><tr><th>{head[0]}</th><th class="n">{head[1]}</th></tr></thead><tbody>{body}</tbody></table>'


def _ids(head: Sequence[str], rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    if not rows:
        return ""

    def cell(value: Any) -> str:
        return escape(", ".join(value) if isinstance(value, list) else str(value))

    body = "".join("<tr>" + "".join(f"<td>{cell(row[name])}</td>" for name in names) + "</tr>" for row in rows)
    heads = "".join(f"<th>{each}</th>" for each in head)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _moment(text: str) -> str:
    return escape(text[:16].replace("T", " "))
