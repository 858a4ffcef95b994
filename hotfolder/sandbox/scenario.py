"""A morning of Exstream output for the demo: what is written where, when, and how.

Five hot folders: ``statements`` (trigger files), ``policies`` (renamed into place),
``notices`` (nothing but quiet; every way of writing that misleads), ``letters``
(dropped by hand), ``runs`` (spools with hundreds of customers). With it the totals that
a correct hot folder ends with.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace

from hotfolder.core.ports import Clock
from hotfolder.sandbox import exstream
from hotfolder.sandbox.afpwriter import afp_chunks
from hotfolder.sandbox.communications import make_communication
from hotfolder.sandbox.exstream import Expected, Outcome, Output
from hotfolder.sandbox.sidecarwriter import Fields, SidecarKind, write_csv
from hotfolder.sandbox.writers import BEHAVIOURS, Pace, Writing, put_file

FOLDERS = ("statements", "policies", "notices", "letters", "runs")
LETTER_DEFAULTS = {"document_type": "letter", "channel": "print", "retention_class": "CORR-6Y"}

OLD_CUSTOMERS = ("C0100077", "C0100078")  # whose letters of 2012 are past their time

_SPAN = 16.0  # seconds over which the output is spread
_DOWN_AT, _UP_AT = 6.0, 12.0  # when the demo takes the server down and up again
_SECOND_LOOK = 8.0  # seconds by which something sent again comes later: the first is taken by then
_PAUSE = 0.4  # between the chunks of a file that grows
_LONG_PAUSE = 3.0  # longer than the demo's quiet time
_STATEMENTS, _POLICIES, _CUSTOMERS = 40, 20, 300  # at scale 1; the last in one spool
_FIRST_OF_RUN = 1000  # number of the first communication in it: none of the others'
_BY_HAND = ("at-once", "slow", "sidecar-first", "at-once", "slow", "sidecar-first", "sidecar-first")
_STANDARD_BEHAVIOUR = {"statements": "trigger", "policies": "rename-in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One drop: at ``at`` seconds, ``output`` begins to be written into ``folder`` by
    the named behaviour. ``before`` are files that are put there first."""

    at: float
    folder: str
    output: Output
    behaviour: str
    pause: float = _PAUSE
    before: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One customer of the run, and the bytes that were composed for them."""

    customer_id: str
    data: bytes
    customers: int  # in the run


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What a correct hot folder ends with; ``rejected`` by reason code."""

    seen: int
    archived: int
    duplicate: int
    version: int
    rejected: Mapping[str, int]


class DemoScenario:
    """The steps in order of time, a function of ``seed`` and ``scale``.

    ``scale`` changes how many whole drops there are, not how many faults, and not how
    long it takes. All of it is kept in memory: about 10 kB a drop."""

    def __init__(self, seed: int, scale: float = 1.0) -> None:
        self._seed = seed
        self._next = 0
        steps = [
            *self._statements(max(8, round(_STATEMENTS * scale))),
            *self._policies(max(6, round(_POLICIES * scale))),
            *self._notices(),
            *self._letters(),
            *self._runs(max(20, round(_CUSTOMERS * scale))),
        ]
        self.steps: tuple[Step, ...] = tuple(sorted(steps, key=lambda step: step.at))
        self.down_at = _DOWN_AT
        self.up_at = _UP_AT

    def totals(self, folder: str | None = None) -> Totals:
        """What is expected at the end, of all folders or of one."""
        expected = [step.output.expected for step in self.steps if folder in (None, step.folder)]
        outcomes = Counter(item.outcome for item in expected)
        return Totals(
            seen=len(expected),
            archived=outcomes[Outcome.ARCHIVED],
            duplicate=outcomes[Outcome.DUPLICATE],
            version=outcomes[Outcome.VERSION],
            rejected=dict(Counter(item.reason_code for item in expected if item.reason_codes)),
        )

    def play(
        self,
        folders: Mapping[str, bytes],
        *,
        staging: bytes,
        clock: Clock,
        wait: Callable[[float], object],
        pace: float = 1.0,
        on_step: Callable[[Step, Expected], None] | None = None,
        actions: Sequence[tuple[float, Callable[[], None]]] = (),
    ) -> bool:
        """Write everything; behaviours run interleaved, as several producers would.

        ``wait`` is called with seconds and ends the play when it answers true (as
        ``Event.wait`` does once the event is set); ``pace`` stretches all times, 0
        plays in order of time without waiting. ``on_step`` is told of every drop when
        it is complete, ``actions`` are the caller's own, at their times. True if it
        came to the end.
        """
        started = clock.monotonic()
        steps: list[Step | None] = [*self.steps, *(None for _ in actions)]
        due: list[tuple[float, int, Generator[float, None, Expected | None]]] = [
            (step.at, number, _write(step, folders[step.folder], staging))
            for number, step in enumerate(self.steps)
        ]
        due += [
            (at, len(self.steps) + number, _act(action))
            for number, (at, action) in enumerate(actions)
        ]
        heapq.heapify(due)
        try:
            while due:
                at, number, writing = due[0]
                left = started + at * pace - clock.monotonic()
                if pace > 0 and left > 0:
                    if wait(left):
                        return False
                    continue
                try:
                    heapq.heapreplace(due, (at + next(writing), number, writing))
                except StopIteration as stop:
                    heapq.heappop(due)
                    step = steps[number]
                    if step is not None and on_step is not None:
                        on_step(step, stop.value)
        finally:
            for _, _, writing in due:
                writing.close()
        return True

    # -- what is written -----------------------------------------------------------
    def _make(
        self,
        document_type: str,
        kind: SidecarKind,
        *,
        spool: str = "pdf",
        name: bytes | None = None,
    ) -> Output:
        number, self._next = self._next, self._next + 1
        communication = make_communication(self._seed, number, document_type=document_type)
        return exstream.make_output(communication, kind=kind, spool=spool, name=name)

    def _statements(self, count: int) -> list[Step]:
        outputs = [
            self._make(
                "bill" if number % 3 == 2 else "statement",
                SidecarKind.JSON,
                spool="afp" if number % 5 == 4 else "pdf",
            )
            for number in range(count)
        ]
        outputs[1] = exstream.make_misdescribed(outputs[1])
        outputs[5] = exstream.make_truncated(outputs[5])
        steps = _spread("statements", outputs)
        return [
            *steps,
            _later(steps[0], exstream.make_resent(outputs[0], b"RESENT_" + outputs[0].name)),
            _later(steps[4], exstream.make_resent(outputs[4], b"RESENT_" + outputs[4].name)),
            _later(steps[3], exstream.make_corrected(outputs[3])),
        ]

    def _policies(self, count: int) -> list[Step]:
        names = {2: b"Q_POLICY_r\xe9vis\xe9e.pdf", 3: "Q_POLICY_契約.pdf".encode()}
        outputs = [
            self._make(
                "policy",
                SidecarKind.XML_PAIRS if number % 4 == 3 else SidecarKind.XML,
                name=names.get(number),
            )
            for number in range(count)
        ]
        outputs[1] = exstream.make_unscheduled(outputs[1])
        outputs[4] = exstream.make_unreadable_sidecar(outputs[4])
        steps = _spread("policies", outputs)
        corrected = exstream.make_corrected(outputs[0], b"Q_POLICY_corrected.pdf")
        return [*steps, _later(steps[0], corrected)]

    def _notices(self) -> list[Step]:
        kinds = sorted(set(BEHAVIOURS) - {"trigger", "directory"})
        steps = []
        for place, behaviour in enumerate(kinds):
            output = self._make("notice", SidecarKind.JSON)
            long = behaviour in ("append", "preserved-mtime")
            steps.append(
                Step(
                    at=0.5 + place,
                    folder="notices",
                    output=output,
                    behaviour=behaviour,
                    pause=_LONG_PAUSE if long else _PAUSE,
                )
            )
        inside = self._make("notice", SidecarKind.JSON, name=b"run-0815/notice.pdf")
        cut = exstream.make_truncated(self._make("notice", SidecarKind.JSON))
        lone = exstream.make_undescribed(self._make("notice", SidecarKind.JSON))
        return [
            *steps,
            Step(at=5.0, folder="notices", output=inside, behaviour="directory"),
            Step(at=1.0, folder="notices", output=cut, behaviour="slow"),
            Step(at=2.0, folder="notices", output=lone, behaviour="at-once"),
        ]

    def _runs(self, count: int) -> list[Step]:
        communications = [
            make_communication(self._seed, _FIRST_OF_RUN + number, document_type="statement")
            for number in range(count)
        ]
        run = exstream.make_run(communications, b"RUN_STATEMENTS_0815.afp")
        found = count * 2 // 3
        groups = list(afp_chunks(communications))[1:-1]  # between Begin and End of the file
        self.wanted = Wanted(
            customer_id=communications[found].customer.customer_id,
            data=groups[found],
            customers=count,
        )
        step = Step(at=3.0, folder="runs", output=run, behaviour="trigger", pause=0.05)
        return [step, _later(step, exstream.make_resent(run, b"RESENT_" + run.name))]

    def _letters(self) -> list[Step]:
        def drop(name: str, words: str, fields: Fields | None = None) -> Output:
            return exstream.make_manual(
                name.encode(), words, defaults=LETTER_DEFAULTS, fields=fields
            )

        described = drop("Answer to Mrs Weiß.pdf", "Dear Mrs Weiß", {
            "customer_id": "C0100000",
            "customer_name": "Olga Weiß",
            "issue_date": "2026-08-30",
            "title": "Answer to your complaint",
            "dispute_refs": ["DISPUTE-2026-10001"],
        })  # fmt: skip
        listed = [
            (f"claim {number}.pdf", {
                "customer_id": f"C01000{number}",
                "issue_date": "2026-08-31",
                "claim_refs": [f"CLAIM-2026-2000{number}"],
            })
            for number in (11, 12)
        ]  # fmt: skip
        table = (b"metadata.csv", write_csv(listed, delimiter=";"))
        outputs = [
            drop("scan 1.pdf", "A letter that came without metadata"),
            drop("scan 2.pdf", "Another one on the same day"),
            described,
            *(_listed(drop(name, name), fields) for name, fields in listed),
            *(
                drop(
                    f"letter of 2012 to {customer}.pdf",
                    f"A letter of 2012 to {customer}",
                    {
                        "customer_id": customer,
                        "issue_date": "2012-03-05",
                        "title": "Answer of 2012",
                    },
                )
                for customer in OLD_CUSTOMERS
            ),
        ]
        steps = [
            Step(at=2.0 + 2 * place, folder="letters", output=output, behaviour=behaviour)
            for place, (output, behaviour) in enumerate(zip(outputs, _BY_HAND, strict=True))
        ]
        steps[0] = replace(steps[0], before=(table,))
        again = exstream.make_resent(described, "Copy of Answer to Mrs Weiß.pdf".encode())
        return [*steps, replace(steps[2], at=_SPAN, output=again)]


def _listed(output: Output, fields: Fields) -> Output:
    """A manual drop whose metadata stands in the folder's table."""
    expected = replace(
        output.expected,
        customer_id=fields["customer_id"],
        issue_date=fields["issue_date"],
        references=exstream.references_in(fields),
    )
    return replace(output, expected=expected)


def _spread(folder: str, outputs: Sequence[Output]) -> list[Step]:
    """The outputs of a folder over the whole time, in its usual way of writing."""
    return [
        Step(
            at=round(_SPAN * place / len(outputs), 3),
            folder=folder,
            output=output,
            behaviour=_STANDARD_BEHAVIOUR[folder],
            pause=0.05,
        )
        for place, output in enumerate(outputs)
    ]


def _later(step: Step, output: Output) -> Step:
    return replace(step, at=step.at + _SECOND_LOOK, output=output)


def _write(step: Step, folder: bytes, staging: bytes) -> Writing:
    for name, data in step.before:
        put_file(folder, name, data)
    pace = Pace(chunks=4, pause=step.pause, staging=staging)
    return (yield from BEHAVIOURS[step.behaviour](folder, step.output, pace))


def _act(action: Callable[[], None]) -> Generator[float, None, None]:
    action()
    yield from ()
