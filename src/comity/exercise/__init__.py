"""The exercise room: synthetic worlds with a known truth, and scoring against it.

`build_world` makes four countries' transfer books around one stolen payment; `score` compares a trace with
what really happened. Nothing here knows how money is traced, so truth and trace are independent of one
another. Everything is invented: banks, firms, people and account numbers. Reference:
docs/reference/exercise-world.md.
"""

from comity.exercise.score import Found, Score, score
from comity.exercise.truth import NationalBook, Resting, Truth, World
from comity.exercise.world import build_world

__all__ = ["Found", "NationalBook", "Resting", "Score", "Truth", "World", "build_world", "score"]
