"""Names of what textbooks ask for several at once: centre and radius, mean and variance. Data, no code."""

from __future__ import annotations

_EXTREMES = {
    f"{which} {kind}": "; ".join(f"{w} {k}" for w in words.split() for k in kinds.split())
    for which, words in (("local", "local relative"), ("absolute", "absolute global"))
    for kind, kinds in (("maximum", "maximum max maxima"), ("minimum", "minimum min minima"))
}
_NAMES = {
    **_EXTREMES,
    "radius": "radius; radius of convergence", "interval": "interval of convergence; interval",
    "period": "period",
    "amplitude": "amplitude", "phase": "phase shift; horizontal shift", "vertical shift": "vertical shift",
    "midline": "midline", "frequency": "frequency", "center": "center; centre", "vertex": "vertex; vertices",
    "focus": "focus; foci", "directrix": "directrix", "eccentricity": "eccentricity",
    "axis": "axis of symmetry", "domain": "domain", "range": "range", "mean": "mean; expected value",
    "median": "median", "mode": "mode", "variance": "variance", "deviation": "standard deviation",
    "rank": "rank", "nullity": "nullity", "trace": "trace", "determinant": "determinant",
    "dimension": "dimension", "quotient": "quotient", "remainder": "remainder",
    "vertical asymptote": "vertical asymptote; vertical asymptotes; va; v a",
    "horizontal asymptote": "horizontal asymptote; horizontal asymptotes; ha; h a",
    "oblique asymptote": "oblique asymptote; slant asymptote; oblique asymptotes; slant asymptotes; "
    "slant; oblique",
    "increasing": "increasing", "decreasing": "decreasing", "concave up": "concave up; concave upward",
    "concave down": "concave down; concave downward", "slope": "slope",
    "eigenvalue": "eigenvalue; eigenvalues",
    "eigenvector": "eigenvector; eigenvectors", "x-intercept": "x - intercept; x - intercepts",
    "y-intercept": "y - intercept; y - intercepts", "perimeter": "perimeter", "area": "area",
    "volume": "volume", "leading coefficient": "leading coefficient", "degree": "degree",
    "inflection": "inflection point; inflection points; point of inflection; points of inflection",
    "saddle": "saddle; saddle point; saddle points", "removable": "removable singularity",
    "essential": "essential singularity", "pole of order 1": "simple pole; pole of order 1",
    "pole of order 2": "double pole; pole of order 2", "pole of order 3": "triple pole; pole of order 3",
    **{f"pole of order {n}": f"pole of order {n}" for n in range(4, 8)},
    "critical": "critical point; critical points; critical number; critical numbers",
}  # fmt: skip
FEATURES: dict[tuple[str, ...], str] = {
    tuple(phrase.split()): name for name, text in _NAMES.items() for phrase in text.split("; ")
}
"""A phrase, and the feature whose value follows it."""
REGIONS = frozenset(["domain", "range", "increasing", "decreasing", "concave up", "concave down"])
"""Features that are sets of numbers: (a, b) and (c, d) are united."""
SYMBOLS = {
    "R": ("radius", "range"), "r": ("radius",), "A": ("amplitude",), "T": ("period",), "C": ("center",),
    "D": ("domain",), "mu": ("mean",), "sigma": ("deviation",), "I": ("interval",), "e": ("eccentricity",),
    "(sigma^2)": ("variance",), "m": ("slope",), "F": ("focus",), "V": ("vertex",),
}  # fmt: skip
"""Letters that features are called by where the other side has them in words."""
