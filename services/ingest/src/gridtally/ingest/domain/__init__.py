"""The rules of readings and periods, pure: values in, values out, no clock and no I/O."""
