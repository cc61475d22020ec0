"""What the fields of API models hold, with units, by their names.

A model may say it better for itself (a docstring under the field); this is what stands in the
OpenAPI documents where it does not. One name means one thing throughout Gridtally, so one table
serves all services. A test finds fields that neither describes.
"""

from gridtally.http.field_notes import commerce, general, metering

NOTES: dict[str, str] = general.NOTES | metering.NOTES | commerce.NOTES
