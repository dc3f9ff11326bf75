# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md: the text between tables is written by hand, each table stands between two marks and is made from
the JSON of its last run."""
import importlib
import re

TABLES = ("peers", "throughput", "kernel", "latency", "start", "delay", "loss", "outputs", "collectors", "connections", "work")

REASON_LENGTH = 160


def table(name):
    return importlib.import_module(f"tables.{name}")


def marks(name):
    return f"<!-- bench {name}: made by ./dev bench -->", f"<!-- bench {name}: end -->"


def provenance(made):
    """How a table was made: one paragraph."""
    quick = " **Quick form: few and short runs.**" if made["quick"] else ""
    versions = ", ".join(f"{name} {version}" for name, version in made["versions"].items())
    return (f"`{made['command']}`, {made['date']}, commit {made['commit']}: Linux {made['kernel']} ({made['machine']}), "
            f"{made['cpus']} CPUs ({made['model']}), {made['memory_gib']:.0f} GiB; {versions}. Load average at its beginning "
            f"{made['load']:.1f}.{quick}")


def shown(reason):
    """A tool's own words, as text that cannot be anything else."""
    words = "".join(c if c.isprintable() and c not in "`<>" else " " for c in reason)
    return words if len(words) <= REASON_LENGTH else words[:REASON_LENGTH] + "..."


def lacking(left_out):
    """The first line of a table that lacks tools; nothing where it has all."""
    if not left_out:
        return []
    return ["**Without " + "; ".join(f"{name}: {shown(reason)}" for name, reason in left_out.items()) + ".**", ""]


def section(name, result):
    begin, end = marks(name)
    return "\n".join([begin, "", *lacking(result.get("left_out")), *table(name).render(result["data"]), "", provenance(result["made"]), "", end])


def replaced(text, name, result):
    """The document with the table of that name made anew."""
    begin, end = marks(name)
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"the document does not have one place for the table {name}: {begin} ... {end}")
    return pattern.sub(lambda _: section(name, result), text)
