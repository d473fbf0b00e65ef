"""Files of transfers, read strictly into columns: CSV and Parquet, amounts in minor units, and their papers."""
