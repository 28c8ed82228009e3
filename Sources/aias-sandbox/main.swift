print("aias-sandbox")
