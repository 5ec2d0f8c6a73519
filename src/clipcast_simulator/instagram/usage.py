"""Call budgets: what the usage headers tell, and code 80002 when an account's budget is spent."""

import json
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert

from clipcast_simulator.exchange import Context, Reply
from clipcast_simulator.instagram.access import Caller
from clipcast_simulator.instagram.errors import Refusal
from clipcast_simulator.instagram.tables import calls
from clipcast_simulator.instagram.world import Account

_DAY_MIN: Final = 1440
_REGAIN_MIN: Final = 60  #: what the header says when nothing better is known


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of its budget an app has used for an account, in percent."""

    object_id: str
    percent: int
    regain_min: int

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Write the two usage headers."""
        spent = {"call_count": self.percent, "total_cputime": self.percent, "total_time": self.percent}
        case = {"type": "instagram", **spent, "estimated_time_to_regain_access": self.regain_min}
        app = {"call_count": 0, "total_time": 0, "total_cputime": 0}
        told = json.dumps({self.object_id: [case]}, separators=(",", ":"))
        return (("x-app-usage", json.dumps(app, separators=(",", ":"))), ("x-business-use-case-usage", told))


def count(context: Context, caller: Caller, account: Account) -> Usage:
    """Count a call for an app and an account; a call while throttled counts too and lengthens the block."""
    bucket, minute = f"{caller.app.app_id}:{account.username}", int(context.now // 60)
    mine = calls.c.bucket == bucket
    context.connection.execute(delete(calls).where(mine, calls.c.minute <= minute - _DAY_MIN))
    row = insert(calls).values(bucket=bucket, minute=minute, count=1)
    keys = [calls.c.bucket, calls.c.minute]
    context.connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"count": calls.c.count + 1}))
    total, first = context.connection.execute(select(func.sum(calls.c.count), func.min(calls.c.minute)).where(mine)).one()
    percent = min(100, (total - 1) * 100 // context.settings.instagram.call_budget)
    regain = first + _DAY_MIN - minute if percent == 100 else 0
    return Usage(account.instagram_account_id, percent, regain)


def spent(object_id: str) -> Usage:
    """Return the usage that goes with a scripted 80002."""
    return Usage(object_id, 100, _REGAIN_MIN)


def check(usage: Usage) -> None:
    """Refuse a call beyond the budget."""
    if usage.percent >= 100:
        raise Refusal(80002)


def with_headers(context: Context, reply: Reply, usage: Usage | None) -> Reply:
    """Add the usage headers, unless the knob is off."""
    if usage is None or context.settings.instagram.usage_headers == "off":
        return reply
    for name, value in usage.headers():
        reply = reply.with_header(name, value)
    return reply
