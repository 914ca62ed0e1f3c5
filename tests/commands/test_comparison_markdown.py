from vouch.commands.comparison_markdown import cell, markdown

ONE = {
    **{"candidate": 0.91, "baseline": 0.9, "delta": 0.01, "low": -0.002, "high": 0.022, "p_holm": 0.5},
    **{"verdict": "not_worse", "margin": 0.02, "detectable": 0.031, "n_groups": 40},
}
NOTHING = dict.fromkeys(("candidate", "baseline", "delta", "low", "high", "p_holm", "detectable"))
HEAD = [
    "| metric | where | baseline | candidate | difference | p (Holm) | verdict | least effect | could show | groups |",
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
]


def test_the_whole_stands_in_sight_and_parts_are_folded_away():
    parts = {
        "all": ONE,
        "class=can": ONE | NOTHING | {"verdict": "few_groups"},
        "class=jar": ONE | {"verdict": "worse"},
    }
    differences = {"recall": parts, "overall": {"all": {"verdict": "not_worse"}}}
    assert markdown("m: a against b", "not worse", ["a sentence"], differences).splitlines() == [
        "### m: a against b",
        "",
        "**not worse**",
        "",
        *HEAD,
        "| recall | all | 0.900 | 0.910 | +0.010 (-0.002 to +0.022) | 0.500 | not worse | 0.02 | 0.031 | 40 |",
        "",
        "<details><summary>by class and stratum (2 differences)</summary>",
        "",
        *HEAD,
        "| recall | class=can | – | – | – | – | too few groups | 0.02 | – | 40 |",
        "| recall | class=jar | 0.900 | 0.910 | +0.010 (-0.002 to +0.022) | 0.500 | **worse** | 0.02 | 0.031 | 40 |",
        "",
        "</details>",
        "",
        "- a sentence",
    ]
    assert "details" not in markdown("t", "worse", [], {"recall": {"all": ONE}})


def test_a_name_of_a_persons_file_stays_a_name():
    assert cell("a|b\nc <img src=x> @all `d` [e](f) *g* #1") == (
        r"a\|b c &lt;img src=x&gt; \@all \`d\` \[e\](f) \*g\* \#1"
    )
