import pytest

from huaxiang.errors import BadConfiguration
from tests.unit.conftest import MAPPING

HEADER = "line,who,bought_at,pieces,paid\n"


def lines(numbers, paid="1.50"):
    return "".join(f"{number},c1,2024-01-01 09:00:00,1,{paid}\n" for number in numbers)


def test_a_mapping_that_accepts_nothing_uses_no_drop_up(shop):
    shop.maps(MAPPING.replace("net_amount: paid", "net_amount: who"))
    shop.drops("sales_2024-01-01.csv", HEADER + lines(range(10)))
    with pytest.raises(
        BadConfiguration, match=r"shop\.yml: tables\.order_lines accepts none of the 10 records.*TYPE 10"
    ):
        shop.lands()
    assert not shop.ledger() and not shop.refused()

    shop.maps(MAPPING)
    shop.lands()
    assert len(shop.rows()) == 10


def test_a_mapping_that_no_longer_fits_an_accepted_drop_is_named_with_the_column(shop):
    shop.drops("sales_2024-01-01.csv", HEADER + lines(range(10)))
    shop.lands()
    shop.maps(MAPPING.replace("paid", "payd"))
    shop.drops("sales_2024-01-02.csv", HEADER + lines(range(10, 20)))
    with pytest.raises(BadConfiguration, match="payd: no such column in the drop"):
        shop.lands("2024-01-02")
    assert len(shop.rows()) == 10


def test_a_drop_with_another_header_is_refused_when_the_mapping_fits_the_drops_before(shop):
    shop.drops("sales_2024-01-01.csv", HEADER + lines(range(10)))
    shop.lands()
    shop.drops("sales_2024-01-02.csv", HEADER.replace("paid", "price") + lines(range(10, 20)))
    shop.lands("2024-01-02")
    assert {reason for _, reason in shop.refused()} == {"HEADER"}


def test_a_few_refused_records_may_be_the_fault_of_the_file(shop):
    shop.drops("sales_2024-01-01.csv", HEADER + lines(range(9), paid="much"))
    shop.lands()
    assert len(shop.refused()) == 9
