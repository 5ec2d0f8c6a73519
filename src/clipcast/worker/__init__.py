"""Alarm clocks: what wakes the driver. None of them holds any truth; a lost or doubled wake-up changes nothing."""
