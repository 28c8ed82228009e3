print("aias")
