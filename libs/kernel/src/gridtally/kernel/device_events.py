"""What meters note of themselves: the kinds of events there are, and how grave each is.

A closed list in the words of the trade, after the event logs of DLMS/COSEM meters: a head-end maps
its own codes to them. One list, so that messages, tables and pages have the same.
"""

from typing import Literal

DeviceEventKind = Literal[
    "meter_cover_opened",
    "meter_cover_closed",
    "terminal_cover_opened",
    "terminal_cover_closed",
    "magnetic_field_detected",
    "magnetic_field_ended",
    "reverse_run_detected",
    "reverse_run_ended",
    "current_bypass_detected",
    "access_refused",
    "replay_attack",
    "power_outage",
    "power_restored",
    "phase_missing",
    "undervoltage",
    "overvoltage",
    "clock_set",
    "clock_invalid",
    "battery_low",
    "battery_replaced",
    "memory_error",
    "measurement_error",
    "watchdog_reset",
    "firmware_changed",
    "parameters_changed",
    "disconnected",
    "reconnected",
]
Severity = Literal["tamper", "warning", "info"]
SEVERITIES: dict[DeviceEventKind, Severity] = {
    "meter_cover_opened": "tamper",
    "meter_cover_closed": "info",
    "terminal_cover_opened": "tamper",
    "terminal_cover_closed": "info",
    "magnetic_field_detected": "tamper",
    "magnetic_field_ended": "info",
    "reverse_run_detected": "tamper",
    "reverse_run_ended": "info",
    "current_bypass_detected": "tamper",
    "access_refused": "tamper",
    "replay_attack": "tamper",
    "power_outage": "warning",
    "power_restored": "info",
    "phase_missing": "warning",
    "undervoltage": "warning",
    "overvoltage": "warning",
    "clock_set": "info",
    "clock_invalid": "warning",
    "battery_low": "warning",
    "battery_replaced": "info",
    "memory_error": "warning",
    "measurement_error": "warning",
    "watchdog_reset": "info",
    "firmware_changed": "info",
    "parameters_changed": "info",
    "disconnected": "info",
    "reconnected": "info",
}
"""How grave each is: somebody was at the meter, somebody should look, or it is good to know."""
