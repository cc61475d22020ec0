"""Price series as rows. Their prices are `prices`."""

from gridtally.tariff import tables
from gridtally.tariff.domain.catalogue import code_taken
from gridtally.tariff.domain.price_series import PriceSeries
from gridtally.tariff.store.catalogue import ResourceTable

PRICE_SERIES = ResourceTable(
    noun="price series",
    kind=PriceSeries,
    table=tables.price_series,
    changeable=("name",),
    write_answers={"price_series_code": code_taken("price series")},
)
