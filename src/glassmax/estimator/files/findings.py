"""The notes on rows, columns and classes that a table in memory has, from a scan."""

from ...streaming import Learned
from ...table import Category, Note, label_texts
from ...table.missing_words import LETTERS_ONLY
from ..tables.notes import notes_on_classes, notes_on_giveaways, notes_on_missing_words, notes_on_rows

__all__ = ["findings"]


def findings(known: Learned, target: str, weight: str | None, *, held_out: bool) -> list[Note]:
    """Return the notes; `held_out` tells whether rows are held out to judge the classes.

    The giveaways are those of the sample, see `glassmax.streaming.sample`.
    """
    notes = notes_on_rows(target, weight or "", known.unlabelled, known.unweighted, of_sets=False)
    notes += _on_words(known, target)
    notes += known.notes
    notes += notes_on_giveaways(known.sample, known.encoding.names, known.sample_y, target)
    return notes + notes_on_classes(known.classes, known.counts, target, held_out=held_out)


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
