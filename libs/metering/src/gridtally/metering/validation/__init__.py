"""Rules that look at whole days of channels: what is measured, against which limit, and verdicts.

`rules` names them, `history` is what is remembered of a channel, `batch` the days that are judged
together and `judge` judges them. Nothing here is refused or stored: a verdict says what is odd.
"""
