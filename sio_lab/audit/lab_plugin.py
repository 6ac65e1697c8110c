"""The working part of the pytest plugin: checks start in threads, pytest's own loop waits for each in turn."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Protocol

import pytest

from sio_lab.audit import ground, pytest_report, selection
from sio_lab.audit.case import Case
from sio_lab.audit.document import CheckResult
from sio_lab.audit.engine import Engine, Findings
from sio_lab.audit.ground import Ground
from sio_lab.audit.plugin import ACTIVE
from sio_lab.audit.proof import Proof
from sio_lab.audit.scheduler import Task
from sio_lab.audit.selection import Broken, Selection
from sio_lab.errors import SioLabError
from sio_lab.lab import load
from sio_lab.lab.model import Lab
from sio_lab.providers.base import Progress, Reporter
from sio_lab.text import Lang, Text, lang_of

_NO_PROCESSES = Text(
    "les contrôles d'un labo sont déjà menés de front : retirez -n (pytest-xdist)",
    "the checks of a lab run in parallel already: remove -n (pytest-xdist)",
)


class WhenDone(Protocol):
    """Told of what was found, once all has ended."""

    def __call__(self, findings: Findings, started: datetime) -> None:
        """Take ``findings``."""


class Judged(pytest.fail.Exception):  # type: ignore[name-defined, misc]  # as pytest documents it
    """A check that did not pass; where it was raised says nothing, and pytest would take its time to show it."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.outcome, pytrace=False)
        self.result = result


class LabPlugin:
    """Hooks and fixtures of an audit.

    Args:
        lab: the lab.
        open_ground: gives the ground of the audit, while it lasts.
        folders: where checks lie; default: the arguments of pytest.
        only: requirements to prove; empty for all.
        disrupt: whether checks may cut services.
        lang: language of what pytest prints.
        report: told of each check as it starts and ends.
        when_done: told of what was found.

    Attributes:
        broken: what could not be run, and why.
        begun: whether the checks were started.
    """

    NAME = "sio-lab-audit"

    def __init__(
        self,
        lab: Lab,
        open_ground: Callable[[], AbstractContextManager[Ground]],
        *,
        folders: Sequence[Path] = (),
        only: Sequence[str] = (),
        disrupt: bool = False,
        lang: Lang = "en",
        report: Reporter | None = None,
        when_done: WhenDone | None = None,
    ) -> None:
        self._lab, self._open_ground, self._folders = lab, open_ground, list(folders)
        self._disrupt, self._lang, self._report, self._when_done = disrupt, lang, report, when_done
        self._selection = Selection(lab, only)
        self._engine: Engine | None = None
        self._cases: dict[pytest.Item, Case] = {}
        self._tasks: dict[pytest.Item, Task] = {}
        self._alone = False
        self.broken: list[Broken] = []
        self.begun = False

    @classmethod
    def of(cls, config: pytest.Config) -> LabPlugin:
        """Return the plugin that pytest's command line asks for.

        Raises:
            pytest.UsageError: the lab cannot be read, or a requirement does not exist.
        """
        lang = lang_of(os.environ)
        if getattr(config.option, "numprocesses", None):
            raise pytest.UsageError(_NO_PROCESSES.get(lang))
        only, disrupt, file = config.option.only, config.option.disrupt, config.option.audit_json
        try:
            loaded = load(config.option.lab)

            def when_done(findings: Findings, started: datetime) -> None:
                from sio_lab import audits
                from sio_lab.reports import files, json

                document = audits.document_of(loaded, findings, started, disrupt=disrupt, only=only)
                files.write(file, json.render(document))

            return cls(
                loaded.lab,
                lambda: ground.of_lab(loaded),
                only=only,
                disrupt=disrupt,
                lang=lang,
                when_done=when_done if file else None,
            )
        except SioLabError as error:
            raise pytest.UsageError(pytest_report.line(error, lang)) from error

    def pytest_configure(self, config: pytest.Config) -> None:
        """Say that there is a lab."""
        config.stash[ACTIVE] = True

    @pytest.fixture
    def lab(self) -> Lab:
        """The lab that is being proven."""
        return self._lab

    @pytest.fixture
    def proof(self, request: pytest.FixtureRequest) -> Proof:
        """What the check asks and judges through."""
        case = self._cases.get(request.node)
        if case is None:
            pytest.fail(selection.NO_REQUIREMENT.get(self._lang), pytrace=False)
        return case.proof

    @pytest.fixture
    def service(self, request: pytest.FixtureRequest) -> Any:
        """The first of the services that the check uses."""
        return self._service(self._cases[request.node])

    def _service(self, case: Case) -> Any:
        uses = case.binding.uses
        return getattr(self._lab.services, uses[0]) if uses else None

    @pytest.hookimpl(wrapper=True)
    def pytest_load_initial_conftests(self) -> Generator[None]:
        """Go on without a conftest that cannot be read, and tell of it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  # it may raise anything
            path = Path(getattr(error, "path", "conftest.py"))
            self.broken.append(selection.broken_file(path, getattr(error, "cause", error), self._folders))

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[object]
    ) -> None:
        """Note a file of checks that cannot be read."""
        if isinstance(node, pytest.Collector) and call.excinfo:
            self.broken.append(selection.broken_file(node.path, call.excinfo.value, self._folders))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Keep the checks that the audit is made of; tests that prove no requirement are not ours."""
        kept: list[pytest.Item] = []
        dropped: list[pytest.Item] = []
        for item in items:
            fault = self._selection.fault(item) if selection.is_check(item) or self._folders else None
            binding = selection.binding_of(item)
            if fault and not self._folders:
                raise pytest.UsageError(pytest_report.line(fault, self._lang))
            if fault:
                name = selection.short_name(item.path, self._folders)
                self.broken.append(Broken(fault, (), name))
                dropped.append(item)
            else:
                wanted = binding is None or self._selection.wants(binding.id)
                (kept if wanted else dropped).append(item)
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Start the checks, then let pytest wait for each in turn."""
        option = session.config.option
        if option.collectonly or (session.testsfailed and not option.continue_on_collection_errors):
            return (yield)
        here = session.config.invocation_params.dir
        folders = self._folders or [_folder(here / arg.partition("::")[0]) for arg in session.config.args]
        started = datetime.now(UTC)
        try:
            with self._open_ground() as opened:
                self._engine = Engine(opened, self._report or _silent, disrupt=self._disrupt)
                interrupted = True
                try:
                    self._begin(self._engine, session.items, folders)
                    self._alone = self._only_ours(session)
                    self.begun = True
                    result = yield
                    interrupted = False
                finally:
                    self._engine.close(interrupted=interrupted)
                    if self._when_done:
                        self._when_done(self.findings(), started)
        except SioLabError as error:
            pytest.exit(pytest_report.line(error, self._lang), returncode=error.exit_code)
        return result

    def _begin(self, engine: Engine, items: Sequence[pytest.Item], folders: Sequence[Path]) -> None:
        calls: dict[pytest.Item, tuple[Case, Callable[[], object]]] = {}
        for item in items:
            binding = selection.binding_of(item)
            if binding is None:
                continue
            # Where pytest's own names are shown, they are kept; else those from our folders on.
            name = f"{selection.short_name(item.path, self._folders)}::{item.nodeid.partition('::')[2]}"
            id_ = name if self._folders else item.nodeid
            case = self._cases[item] = engine.case(id_, binding, folders)
            if case.result is None and isinstance(item, pytest.Function) and selection.stands_alone(item):
                calls[item] = (case, self._call(item, case))
        self._tasks.update(zip(calls, engine.start(list(calls.values())), strict=True))
        engine.identify()  # last: many small questions fill what the last of the checks leave free

    def _only_ours(self, session: pytest.Session) -> bool:
        """Return whether nothing is set up or torn down for any check, but by pytest itself."""
        hooks = session.config.hook.pytest_runtest_setup, session.config.hook.pytest_runtest_teardown
        users = {impl.function.__module__ for hook in hooks for impl in hook.get_hookimpls()}
        settled = {item for item, case in self._cases.items() if case.result}
        return all(module.startswith(("_pytest.", __name__)) for module in users) and all(
            item in self._tasks or item in settled for item in session.items
        )

    def _call(self, item: pytest.Function, case: Case) -> Callable[[], object]:
        known = {"lab": self._lab, "proof": case.proof, "service": self._service(case)}
        known |= item.callspec.params if hasattr(item, "callspec") else {}
        function, names = item.obj, selection.arguments(item.obj)
        return lambda: function(**{name: known[name] for name in names})

    @property
    def abandoned(self) -> bool:
        """Whether threads of checks that lasted too long are still there."""
        return self._engine is not None and self._engine.busy

    def findings(self) -> Findings:
        """Return what was found, and what could not be for want of readable checks."""
        found = self._engine.findings() if self._engine else Findings((), (), ())
        unread = [result for broken in self.broken for result in broken.results(self._selection)]
        return Findings([*found.checks, *unread], found.machines, found.traces)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Wait for a check that runs already: nothing is set up for it, which is most of pytest's work."""
        if not self._alone or item not in self._tasks:
            return None
        hook, known = item.ihook, {"nodeid": item.nodeid, "location": item.location}
        hook.pytest_runtest_logstart(**known)
        phases: dict[Literal["call", "teardown"], Callable[[], object]] = {
            "call": lambda: self._wait(item, self._tasks[item]),
            "teardown": lambda: None,  # with its report, what others write of a test is complete
        }
        for when, phase in phases.items():
            call = pytest.CallInfo.from_call(phase, when, reraise=(KeyboardInterrupt, pytest.exit.Exception))
            hook.pytest_runtest_logreport(report=hook.pytest_runtest_makereport(item=item, call=call))
        hook.pytest_runtest_logfinish(**known)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip a check that is not to run before any fixture is set up for it."""
        case = self._cases.get(item)
        if case and case.result and case.result.outcome == "skipped" and item not in self._tasks:
            raise Judged(case.result)

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool | None:
        """Wait for the check of ``pyfuncitem``; begin it now where it needs fixtures of somebody else's."""
        case = self._cases.get(pyfuncitem)
        if case is None or self._engine is None:
            return None
        task = self._tasks.get(pyfuncitem)
        if task is None:
            function = pyfuncitem.obj
            values = {name: pyfuncitem.funcargs[name] for name in selection.arguments(pyfuncitem.obj)}
            (task,) = self._engine.start([(case, lambda: function(**values))])
        self._wait(pyfuncitem, task)
        return True

    def _wait(self, item: pytest.Item, task: Task) -> None:
        task.done.wait()
        result = self._cases[item].result
        if result and result.outcome != "passed":
            raise Judged(result)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report of a check say what it came to."""
        report = yield
        case = self._cases.get(item)
        if case is None:
            return report
        error = call.excinfo.value if call.excinfo else None
        if error is not None and not isinstance(error, Judged):
            # A fixture of somebody else's broke, before the check or after it.
            case.spoil(error)
        if case.result and (report.when == "call" or error is not None):
            pytest_report.shape(report, case, self._lang, trace=item.config.option.tbstyle in {"long", "native"})
            item.user_properties[:] = report.user_properties  # for the last report, which JUnit files are made of
        return report

    def pytest_report_teststatus(
        self, report: pytest.TestReport | pytest.CollectReport
    ) -> tuple[str, str, object] | None:
        """Tell what could not be verified from what failed."""
        return pytest_report.status(report, self._lang) if isinstance(report, pytest.TestReport) else None

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell of machines that do not answer, or are not what they are declared to be."""
        found = [(machine.name, machine.problem) for machine in self.findings().machines if machine.problem]
        if found:
            terminalreporter.section("machines")
            for name, problem in found:
                terminalreporter.write_line(f"{name}: {problem.get(self._lang)}")


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _silent(_: Progress) -> None:
    """Pytest prints what there is to say."""
