"""Write docs/strategies.md from docs/strategies.yaml: python docs/strategies.py"""

from pathlib import Path

import yaml

HERE = Path(__file__).parent
HEAD = """# What the strategies ask for, and where it is

Two whole-system strategies are the brief: *Making Our Move* (Nottinghamshire and Derbyshire, 2021) and *All Together Active*
(Cheshire and Merseyside). Each thing that they name stands here in a few words, with its place in the model: a **lever** that can
be pulled, a **determinant** that gates what people do, an **outcome** that is counted, a **rule**, or **not modelled**, with the
reason. The last column names what shows it. A test checks that nothing is missing and that whatever is named exists. This page is
written from `docs/strategies.yaml`.
"""


def page(sections: dict) -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    counts: dict[str, int] = {}
    for section in sections.values():
        rows = [f"## {section['title']}\n", "| # | what | kind | how | shown by |", "| --- | --- | --- | --- | --- |"]
        for number, label, kind, how, shown in section["items"]:
            counts[kind] = counts.get(kind, 0) + 1
            rows.append(f"| {number} | {label} | {kind} | {how} | {'; '.join(said(each) for each in shown)} |")
        parts.append("\n".join(rows) + "\n")
    total = sum(counts.values())
    tally = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items(), key=lambda each: -each[1]))
    return "\n".join([*parts, f"Of {total} things: {tally}.\n"])


def said(reference: str) -> str:
    """Return a reference as the page shows it."""
    kind, name = reference.split(" ", 1)
    return f"{kind} `{name.split('::')[-1]}`" if kind == "test" else f"{kind} `{name}`"


if __name__ == "__main__":
    sections = yaml.safe_load((HERE / "strategies.yaml").read_text(encoding="utf-8"))
    (HERE / "strategies.md").write_text(page(sections), encoding="utf-8")
