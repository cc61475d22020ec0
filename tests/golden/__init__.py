"""Bills with known answers, and what their cases say as tariffs and readings."""
