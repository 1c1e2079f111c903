from __future__ import annotations

import pytest

pytest_plugins = ("pytester",)

NO_LAB = """
    pytest_plugins = ("harness.plugin.fixtures",)
"""
FAKE_RUN = """
    import types
    import pytest
    from harness.plugin.lab_session import KEY

    pytest_plugins = ("harness.plugin.fixtures",)

    def pytest_configure(config):
        config.addinivalue_line("markers", "phase(name): the phase")
        config.stash[KEY] = types.SimpleNamespace(selection=types.SimpleNamespace(spec="the lab file"))

    class Run:
        lab = "the lab"

        def __init__(self):
            self.proof, self.asked, self.lost = self, [], None

        def check(self, *question):
            self.asked.append(question)

        require = check

        def host(self, name):
            return types.SimpleNamespace(backend=types.SimpleNamespace(lost=self.lost), name=name)

    @pytest.fixture(scope="session")
    def _run():
        return Run()

    @pytest.fixture
    def machine_name():
        return "w1"
"""


def run(pytester: pytest.Pytester, conftest: str, test: str) -> pytest.RunResult:
    pytester.makeconftest(conftest)
    pytester.makepyfile(test)
    # An inner session in this process would load the plugin of Hypothesis anew and change the tests that come later.
    blocked = ("cacheprovider", "harness.plugin.entry", "hypothesispytest")
    return pytester.runpytest_inprocess(*(word for name in blocked for word in ("-p", f"no:{name}")), "-rs")


def test_a_test_that_wants_a_lab_where_none_is_collected_names_the_remedy(pytester: pytest.Pytester) -> None:
    result = run(pytester, NO_LAB, "def test_it(lab): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no lab here: run `pytest scenarios/`"])


def test_the_lab_and_its_file(pytester: pytest.Pytester) -> None:
    test = """
        def test_it(lab, spec):
            assert (lab, spec) == ("the lab", "the lab file")
    """
    run(pytester, FAKE_RUN, test).assert_outcomes(passed=1)


def test_prove_asks_for_a_check_of_the_phase_and_the_machine_of_the_test(pytester: pytest.Pytester) -> None:
    test = """
        import pytest
        from harness.core.verdict import Phase

        @pytest.mark.phase("boot")
        @pytest.mark.parametrize("machine_name", ["w2"])
        def test_machine(prove, machine_name, _run, request):
            prove("ssh login")
            assert _run.asked == [("w2", Phase.BOOT, "ssh login", request.node)]

        @pytest.mark.phase("environment")
        def test_lab(prove, _run, request):
            prove("network")
            assert _run.asked[-1] == (None, Phase.ENVIRONMENT, "network", request.node)

        def test_without_a_phase(prove):
            pass
    """
    result = run(pytester, FAKE_RUN, test)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["a test that uses `prove` needs a `phase` marker"])


def test_a_host_is_the_guest_of_the_test_after_its_phases_passed(pytester: pytest.Pytester) -> None:
    test = """
        from harness.core.verdict import Phase

        def test_it(host, _run):
            assert host.name == "w1"
            assert _run.asked == [("w1", Phase.GUESTS)]
    """
    run(pytester, FAKE_RUN, test).assert_outcomes(passed=1)


def test_the_tests_of_a_guest_that_went_silent_are_skipped(pytester: pytest.Pytester) -> None:
    test = """
        import types
        import pytest

        @pytest.fixture(autouse=True)
        def silent(_run):
            _run.lost = types.SimpleNamespace(what="no answer within 9 s")

        def test_it(host):
            raise AssertionError("the guest is not asked")
    """
    result = run(pytester, FAKE_RUN, test)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*blocked: w1 does not answer any more: no answer within 9 s*"])
