"""Two programs that share an installation: one rotates the keys and kills itself where it is told to, one refreshes without a break.

`python rotating.py rotate SETTINGS MOMENT` rotates; SIGKILL before its MOMENT-th commit or touch of the key file (0: never).
`python rotating.py refresh SETTINGS` stores new credentials again and again until its input ends, and says each that is stored: `ID TOKEN`.
It ends with an error if it ever finds something else than what it stored last.
"""

import itertools
import json
import os
import random
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from sqlalchemy import event, select

import clipcast
from clipcast import Clipcast
from clipcast.accounts.keys import credential_key_file
from clipcast.accounts.models import SocialAccount
from clipcast.accounts.rotation import rotate


def main(what: str, settings: str, moment: str = "0") -> None:
    """Do one of the two."""
    with clipcast.connect(**json.loads(settings)) as db:
        if what == "rotate":
            _die_at(db, int(moment))
            rotate(db.db, db.vault, credential_key_file(db.settings), db.clock())
        else:
            _refresh(db)


def _die_at(db: Clipcast, moment: int) -> None:
    moments = itertools.count(1)

    def pass_one(*_: Any) -> None:
        if next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def touched(name: str, arguments: Sequence[Any]) -> None:
        if name in {"open", "os.rename"} and "credential.key" in str(arguments[0]):
            pass_one()

    event.listen(db.db.engine, "commit", pass_one)
    sys.addaudithook(touched)


def _refresh(db: Clipcast) -> None:
    with db.db.reading() as session:
        account_ids = list(session.scalars(select(SocialAccount.id)))
    told: dict[str, str] = {}
    over = threading.Thread(target=sys.stdin.read, daemon=True)
    over.start()
    numbers = itertools.count()
    while over.is_alive():
        account_id = random.choice(account_ids)
        if account_id in told:
            assert clipcast.get_account_credentials(db, account_id).get("access_token") == told[account_id]
        told[account_id] = f"act.{next(numbers)}"
        clipcast.set_account_credentials(db, account_id, {"access_token": told[account_id]})
        print(account_id, told[account_id], flush=True)  # noqa: T201  # what it says is its answer


if __name__ == "__main__":
    main(*sys.argv[1:])
