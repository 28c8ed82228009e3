internal import ArgumentParser

await AIAS.main()
