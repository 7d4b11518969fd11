{{ snapshot_day_rows() }}
