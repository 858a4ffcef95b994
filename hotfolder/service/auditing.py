"""What ``hotfolder audit`` does."""

from __future__ import annotations

import base64
from typing import Any

import click

from hotfolder.core import merkle
from hotfolder.core.errors import EX_IOERR, EX_NOINPUT, EX_OK, EX_TEMPFAIL
from hotfolder.core.records import AuditRow, SignedHead
from hotfolder.core.treeheads import PROOF_FORMAT, head_at, head_to_dict, key_id
from hotfolder.flows.auditing import AuditReport, verify_audit
from hotfolder.service import signingkey
from hotfolder.service.actor import actor
from hotfolder.service.inspecting import opened
from hotfolder.service.naming import whole_identity
from hotfolder.service.parts import SystemClock, make_signing
from hotfolder.service.terminal import Progress, fault_data, print_json, print_table, printable


def verify(
    config_path: str, *, as_json: bool, keys: tuple[str, ...], heads: tuple[str, ...]
) -> int:
    """Verify everything; 74 if anything is wrong."""
    with (
        opened(config_path) as (configuration, journal),
        Progress("links verified", as_json=as_json) as progress,
    ):
        report = verify_audit(
            journal,
            tuple(dict.fromkeys((*configuration.audit.heads, *heads))),
            signingkey.verify_signature,
            trusted=keys,
            progress=progress.reached,
        )
    if as_json:
        print_json(_report_data(report))
    else:
        _tell(report)
    return EX_IOERR if report.faults else EX_OK


def _report_data(report: AuditReport) -> dict[str, Any]:
    return {
        "ok": not report.faults,
        "log": report.log,
        "links": report.links,
        "broken_at": report.broken_at,
        "heads": report.heads,
        "copies": report.copies,
        "keys": list(report.keys),
        "other_logs": list(report.strangers),
        "faults": [fault_data(fault) for fault in report.faults],
    }


def _tell(report: AuditReport) -> None:
    click.echo(f"log {report.log}: {report.links:,} links, {report.heads} signed heads,")
    click.echo(f"  {report.copies} copies of heads in directories")
    for key in report.keys:
        click.echo(f"  signed by the key {key}")
    for log in report.strangers:
        click.echo(f"  heads of another log, from before a rebuild: {printable(log)}")
    for fault in report.faults:
        click.echo(f"FAULT {printable(fault.place)}: {printable(fault.message)}")
        click.echo(f"      {printable(fault.remedy)}")
    click.echo("everything is as it was written" if not report.faults else "not as it was written")


def sign(config_path: str, *, as_json: bool) -> int:
    """Sign now."""
    missed: list[str] = []

    def emit(event: str, /, **fields: object) -> None:
        if event == "audit.head_not_written":
            missed.append(f"{fields['directory']}: {fields['error']}")

    with opened(config_path) as (configuration, journal):
        signing = make_signing(journal, configuration.audit, SystemClock(), emit)
        signed = signing.sign(actor())
    if signed is None:
        click.echo("there is nothing to sign yet: the audit chain is empty", err=True)
        return EX_NOINPUT
    if as_json:
        print_json({**head_to_dict(signed), "not_written": missed})
    else:
        click.echo(f"{signed.head.tree_size:,} links, root {signed.head.root}")
        click.echo(f"  signed at {signed.head.at} by the key {signed.key}")
    for text in missed:
        click.echo(f"not written to {printable(text)}; the daemon tries again", err=True)
    return EX_TEMPFAIL if missed else EX_OK


def list_links(
    config_path: str, subject: str | None, *, as_json: bool, limit: int, after: int
) -> int:
    """Links, oldest first."""
    with opened(config_path) as (_, journal):
        if subject is None:
            rows = journal.audit(after=after, limit=limit)
        else:
            spool = journal.get_spool(subject)
            found = journal.audit_of([subject if spool is None else spool.id])
            found = found or journal.audit_of([whole_identity(journal, subject)])
            rows = [row for row in found if row.number > after][:limit]
    if as_json:
        print_json([_row_data(row) for row in rows])
    elif subject is not None and not rows:
        click.echo(
            f"the audit chain has nothing about {subject!r}; it knows spools and documents by"
            " their beginnings, all else by its whole id",
            err=True,
        )
    else:
        print_table(
            "the audit chain",
            ["link", "at", "who", "what", "subject", "details"],
            [
                (
                    row.number,
                    head_at(row.at),
                    row.actor,
                    row.action,
                    row.subject,
                    ", ".join(f"{name} {value}" for name, value in row.details.items()),
                )
                for row in rows
            ],
        )
    return EX_OK if rows or subject is None else EX_NOINPUT


def _row_data(row: AuditRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "details": dict(row.details),
        "previous": row.previous,
        "digest": row.digest,
    }


def prove(config_path: str, number: int) -> int:
    """The link, its proof, and the first signed head that has it."""
    with opened(config_path) as (_, journal):
        heads = journal.tree_heads(after=number - 1, limit=1)
        if number > journal.audit_size():
            click.echo(f"the audit chain has no link {number}", err=True)
            return EX_NOINPUT
        if not heads:
            click.echo(
                f"no signed head has link {number} yet; `hotfolder audit sign` makes one", err=True
            )
            return EX_NOINPUT
        entry = journal.audit_entry(number)
        proof = journal.inclusion_proof(number, heads[0].head.tree_size)
    print_json(proof_data(number, entry, proof, heads[0]))
    return EX_OK


def proof_data(number: int, entry: bytes, proof: list[bytes], signed: SignedHead) -> dict[str, Any]:
    """A proof as docs/audit.md has it."""
    return {
        "format": PROOF_FORMAT,
        "number": number,
        "entry": entry.decode(),
        "leaf": merkle.leaf_hash(entry).hex(),
        "proof": [item.hex() for item in proof],
        "tree_head": head_to_dict(signed),
    }


def make_key(path: str, *, as_json: bool) -> int:
    """A new key."""
    public_key = signingkey.make_key(path).public_key
    if as_json:
        print_json(
            {
                "written": path,
                "key": key_id(public_key),
                "public_key": base64.b64encode(public_key).decode(),
            }
        )
    else:
        click.echo(f"{path} written, for the service's user alone")
        click.echo(f"  key        {key_id(public_key)}")
        click.echo(f"  public key {base64.b64encode(public_key).decode()}")
        click.echo("Keep these two lines elsewhere: by them others know the key.")
    return EX_OK
