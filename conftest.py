"""What all tests share: none asserts how long it takes, whatever else the machine does."""

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
