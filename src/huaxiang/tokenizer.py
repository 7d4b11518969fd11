"""Words of a text: Chinese by a dictionary, all other scripts by their letters.

Chinese is cut as jieba does it (the most probable path through a dictionary, and a hidden Markov model for runs that
the dictionary does not hold; rjieba is its port). A home adds words of its trade in `dictionaries/*.txt` beside its
`huaxiang.yml`, and in `dictionaries/stop_words.txt` those that tell nothing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cached_property
from pathlib import Path
from typing import Any

from huaxiang.errors import BadConfiguration
from huaxiang.settings import Settings

_HAN = "\u3005\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W\d_{_HAN}]+(?:'[^\W\d_{_HAN}]+)*")
_IS_HAN = re.compile(rf"[{_HAN}]")
_OWN_WORD = re.compile(rf"[{_HAN}]{{2,}}")
_STOP_WORDS = "stop_words.txt"


class Tokenizer:
    """Cuts texts into words; `own` are the words of the home's dictionaries."""

    def __init__(self, own: tuple[str, ...] = ()) -> None:
        self.own = own

    def words(self, text: str) -> list[str]:
        """The words of `text` in their order, in lower case and in Unicode's form NFKC; no numbers, no punctuation."""
        found: list[str] = []
        for run in _RUNS.findall(unicodedata.normalize("NFKC", text).casefold()):
            found.extend(self._jieba.cut(run) if _IS_HAN.match(run) else [run])
        return found

    @cached_property
    def _jieba(self) -> Any:  # whoever has no Chinese texts does not load its dictionary
        from rjieba import Jieba

        jieba = Jieba()
        for word in self.own:
            jieba.add_word(word, None, None)  # as frequent as it takes to be cut as one word
        return jieba

    def __reduce__(self) -> tuple[Any, ...]:  # the dictionary itself does not travel to Spark's executors
        return Tokenizer, (self.own,)


def load_tokenizer(settings: Settings) -> Tokenizer:
    """The tokenizer of a home, with the words of its `dictionaries/*.txt`: one to a line, what follows a # is a remark.

    Raises BadConfiguration naming file and line for what is not a Chinese word of two characters or more.
    """
    own: dict[str, None] = {}
    for path in sorted(_folder(settings).glob("*.txt")):
        if path.name == _STOP_WORDS:
            continue
        for number, word in _lines(path):
            if not _OWN_WORD.fullmatch(word):
                raise BadConfiguration(
                    f"{path}:{number}: '{word}' is not a Chinese word of two characters or more; write one to a line, "
                    "other scripts are cut at spaces anyway"
                )
            own[word] = None
    return Tokenizer(tuple(own))


def load_stop_words(settings: Settings) -> frozenset[str]:
    """The words of `dictionaries/stop_words.txt`, in lower case; none where there is no such file."""
    path = _folder(settings) / _STOP_WORDS
    return frozenset(word.casefold() for _, word in _lines(path)) if path.exists() else frozenset()


def _folder(settings: Settings) -> Path:
    return settings.config.parent / "dictionaries"


def _lines(path: Path) -> list[tuple[int, str]]:
    """The words of a file with the numbers of their lines."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{path}: is not UTF-8; save it as UTF-8") from error
    words = (unicodedata.normalize("NFKC", line.partition("#")[0].strip()) for line in lines)
    return [(number, word) for number, word in enumerate(words, start=1) if word]
