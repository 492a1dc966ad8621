"""The notes on rows, columns and classes that a table in memory has, from a scan."""

from ...errors import Setting
from ...streaming import Learned
from ...table import Category, Note, label_texts
from ...table.missing_words import LETTERS_ONLY
from ..tables.notes import notes_on_classes, notes_on_giveaways, notes_on_missing_words, notes_on_rows

__all__ = ["findings"]


def findings(
    known: Learned, target: str, weight: str | None, *, held_out: bool, is_averaging: bool = False
) -> list[Note]:
    """Return the notes; `held_out` tells whether rows are held out to judge the classes, `is_averaging` of local SGD.

    The giveaways are those of the sample, see `glassmax.streaming.sample`.
    """
    notes = notes_on_rows(target, weight or "", known.unlabelled, known.unweighted, of_sets=False)
    notes += _on_words(known, target)
    notes += known.notes
    if known.is_sorted:
        notes.append(_on_sorted(target, is_averaging))
    notes += notes_on_giveaways(known.sample, known.encoding.names, known.sample_y, target)
    return notes + notes_on_classes(known.classes, known.counts, target, held_out=held_out)


def _on_sorted(target: str, is_averaging: bool) -> Note:
    sorting = f"{target}: the rows are sorted by this column, or nearly so."
    if not is_averaging:
        return Note((f"{sorting} All rows are shuffled.",))
    setting = Setting("averaging", "local_sgd")
    why = " each shard trains on consecutive rows, and so on few of the classes, which usually costs accuracy. Shuffle "
    return Note((f"{sorting} With ", setting, f",{why}the rows of the files, or train without averaging."))


def _on_words(known: Learned, target: str) -> list[Note]:
    if known.sample.missing_words is not None:
        return []
    missing = {name: summary.words for name, summary in known.summaries.items() if summary.words}
    values = {
        column.name: LETTERS_ONLY.intersection(known.summaries[column.name].texts) if known.sample.tells_missing else ()
        for column in known.encoding.columns
        if isinstance(column, Category)
    }
    return notes_on_missing_words(missing, values, target, known.label_words, label_texts(known.classes))
