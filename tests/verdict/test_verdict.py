"""The verdict as a function of rows: every state from rows made up for it, and nothing but rows. Under 1 s."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from zerosum.play.config import Config, to_json
from zerosum.verdict import verdict
from zerosum.verdict.advice import option_value
from zerosum.verdict.diagnoses import DIAGNOSES, TROUBLES
from zerosum.verdict.symptoms import SYMPTOMS
from zerosum.verdict.thresholds import THRESHOLDS


def test_every_state_has_a_case(made: Any) -> None:
    assert set(made.cases) == set(DIAGNOSES)


@pytest.mark.parametrize("name", DIAGNOSES)
def test_the_state_of_its_rows(name: str, made: Any) -> None:
    found = verdict(made.run(name, 3 if name.startswith("too") else made.checks), to_json(Config()))
    assert found.state == name
    assert found.trouble == DIAGNOSES[name].trouble
    # A plateau is no trouble, and still has advice for those who want better samples.
    assert bool(found.advice) == (found.trouble or name == "plateaued")
    assert found.evidence
    assert len(found.history) == (3 if name.startswith("too") else made.checks)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False)) == found.to_json()
    assert found.state in found.paragraph.lower()
    assert "nan" not in found.paragraph


@pytest.mark.parametrize("name", [state.name for state in TROUBLES])
def test_one_odd_check_neither_makes_nor_breaks_a_trouble(name: str, made: Any) -> None:
    healthy, broken = made.run("plateaued"), made.run(name)
    odd = [*healthy[:30], broken[39] | {k: healthy[30][k] for k in ("round", "samples")}, *healthy[31:]]
    assert not any(DIAGNOSES[row["state"]].trouble for row in verdict(odd).history)
    pardoned = [*broken[:-3], broken[-3] | {k: v for k, v in made.check(37).items() if k not in ("cells",)}, *broken[-2:]]
    assert verdict(pardoned).state == name


@pytest.mark.parametrize("name", [state.name for state in TROUBLES])
def test_a_trouble_needs_two_symptoms(name: str) -> None:
    state = DIAGNOSES[name]
    assert len(state.needs) + bool(state.some) >= 2
    assert {*state.needs, *state.some, *state.also} <= set(SYMPTOMS)
    assert state.suggestions


def test_troubles_say_since_when(made: Any) -> None:
    found = verdict(made.run("mode collapse"))
    assert found.since == pytest.approx(16 * 10_240, abs=3 * 10_240)
    assert not any(DIAGNOSES[row["state"]].trouble for row in found.history[:16])
    assert [row["state"] for row in found.history[20:]] == ["mode collapse"] * 20


@pytest.mark.parametrize("name", [name for name in DIAGNOSES if name != "too early to say"])
def test_half_as_many_checks_and_other_counts_say_the_same(name: str, made: Any) -> None:
    """Neither the counts of samples nor twice the gap between checks change a verdict."""
    assert verdict(made.run(name, after=2)).state == name
    scaled = [row | {k: 10 * row[k] for k in ("round", "samples", "seconds")} for row in made.run(name)]
    assert verdict(scaled).state == name


def test_a_name_in_the_manifest_changes_nothing(made: Any) -> None:
    rows = made.run("mode collapse")
    named = [row | {"modes": 2, "modes_of": 8, "high_quality": 0.9, "jsd": 0.5} for row in rows]
    assert verdict(named).state == verdict(rows).state
    assert any("modes reached: 2 of 8" in sentence for sentence in verdict(named).evidence)


def test_precedence_names_the_cause_and_lists_the_rest(made: Any) -> None:
    both = [made.check(i, **{**made.case("mode collapse", i), **made.case("memorisation", i)}) for i in range(made.checks)]
    found = verdict(both)
    assert found.state == "memorisation"
    assert found.others == ["mode collapse"]  # And no word of "stalled", which every trouble ends in.
    order = [state.name for state in TROUBLES]
    assert order.index("weak discriminator") < order.index("mode collapse") < order.index("stalled")


def test_a_run_that_ended_in_numbers_that_are_not_finite(made: Any) -> None:
    message = "the gradient of D's body.layers.0.weight was not finite in round 12; that update was not made."
    stop = {"type": "stop", "reason": "not finite", "message": message, "round": 11, "samples": 2816, "seconds": 1.0}
    found = verdict([*made.run("improving", 4), stop])
    assert (found.state, found.since, found.evidence, found.confidence) == ("diverged", 2816, [message], "high")
    resumed = verdict([*made.run("improving", 4), stop, {"type": "start", "round": 0, "samples": 0, "seconds": 0.0}])
    assert resumed.state != "diverged"
    halted = [*made.run("plateaued", 20), *(made.check(i, finite=False) for i in range(20, 23))]
    assert verdict(halted).state == "diverged"


def test_advice_names_options_and_values(made: Any) -> None:
    config = to_json(Config()) | {"d": {**to_json(Config())["d"], "lr": 1e-6}}
    blind = verdict(made.run("weak discriminator"), config)
    assert "--d.lr 0.0002 instead of 1e-06" in blind.advice
    assert "--game.k 2 instead of 1" in blind.advice
    assert "--d.lr" in verdict(made.run("weak discriminator")).advice
    for diagnosis in TROUBLES:
        for option in (suggestion.option for suggestion in diagnosis.suggestions):
            assert option_value(to_json(Config()), option) is not None or option in ("data.limit",), option
    none = {**config, "game": {**config["game"], "penalty": "none"}}
    assert "gamma" not in verdict(made.run("weak discriminator"), none).advice
    learned = verdict(made.run("discriminator overfitting"), none).advice
    assert "--game.penalty r1r2 instead of none" in learned
    assert "--data.flip" not in learned  # Its nets are perceptrons, for points.
    assert "--game.augment" not in learned
    images = {**config, "net": {**config["net"], "kind": "dcgan"}}
    assert "--game.augment diffaugment instead of none" in verdict(made.run("discriminator overfitting"), images).advice


def test_the_verdict_loads_no_torch() -> None:
    code = "import sys, zerosum.verdict; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_threshold_has_a_source() -> None:
    assert all(t.what and t.source and t.value > 0 for t in THRESHOLDS.values())


SCORED = {
    "noise_share": (0.02, 0.0, 0.03, 0.0),
    "frechet_corrected": (0.1, -0.1, 0.3, -0.1),
    "precision": (0.83, 0.81, 0.85, 0.86),
    "recall": (0.84, 0.82, 0.86, 0.86),
    "coverage": (0.95, 0.94, 0.96, 0.97),
}


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("nothing", (0.0, 0.0, 0.0, 0.0)),
        ("noise_share", (0.1, 0.08, 0.12, 0.0)),
        ("frechet_corrected", (0.6, 0.4, 0.8, -0.1)),
        ("recall", (0.72, 0.70, 0.74, 0.86)),
        ("coverage", (None, None, None, 0.97)),
    ],
)
def test_images_have_converged_only_by_the_scores_at_the_end(name: str, numbers: tuple[float | None, ...], made: Any) -> None:
    """As good as real in each of the scores, or not in one of them; and never by checks alone."""
    rows = [row | {"compared_as": "features", "left": 0.0} for row in made.run("converged")]
    assert verdict(rows).state == "plateaued"
    at = {key: rows[-1][key] for key in ("round", "samples", "seconds")}
    scores = [
        {"type": "score", **at, "name": one, **dict(zip(("value", "low", "high", "floor"), values, strict=True))}
        for one, values in (SCORED | ({name: numbers} if name in SCORED else {})).items()
    ]
    assert verdict([*rows, *scores]).state == ("converged" if name == "nothing" else "plateaued")
    # Scores of an earlier end say nothing of the training since.
    later = made.check(made.checks, **made.case("converged", made.checks)) | {"compared_as": "features", "left": 0.0}
    assert verdict([*rows, *scores, later]).state == "plateaued"


def test_points_near_the_data_have_converged_however_fast_they_came_there(made: Any) -> None:
    """As on the ring, where the decay alone brings the samples near, within the last tenth of the run."""
    rows = [made.check(i, fresh=0.4, coverage=0.5, missing=0.3, left=0.5) for i in range(36)]
    rows += [row | {"left": 0.0} for row in made.run("converged")[36:]]
    assert verdict(rows).state == "converged"
