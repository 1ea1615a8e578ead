"""The API's shapes: requests in, answers and inventories out."""
