"""``python -m hotfolder.sandbox``: the sandbox as a process of its own."""

from __future__ import annotations

import argparse

from hotfolder.sandbox.costs import Costs
from hotfolder.sandbox.sandbox import NOTICE, run


def main() -> None:
    """Parse the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m hotfolder.sandbox", description=NOTICE)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8089, help="0 takes a free one")
    parser.add_argument("--state", help="keep the state in this file")
    parser.add_argument("--admin-password", default="admin")
    parser.add_argument("--control", action="store_true", help="serve /__sandbox/")
    parser.add_argument("--document-cost", type=float, default=0.0, help="seconds, in imports")
    parser.add_argument("--post-cost", type=float, default=0.0, help="seconds, of other POSTs")
    parser.add_argument("--get-cost", type=float, default=0.0, help="seconds")
    parser.add_argument("--whole-seconds", action="store_true", help="imports take whole seconds")
    parser.add_argument("--at-once", type=int, default=0, help="requests worked on at a time")
    given = parser.parse_args()
    run(
        given.host,
        given.port,
        given.state,
        admin_password=given.admin_password,
        control=given.control,
        costs=Costs(
            document=given.document_cost,
            post=given.post_cost,
            get=given.get_cost,
            whole_seconds=given.whole_seconds,
            at_once=given.at_once,
        ),
    )


if __name__ == "__main__":
    main()
