"""A small vocabulary for tokenizers: one token per byte."""


def byte_vocabulary() -> dict[str, int]:
    """Return a byte-level vocabulary without merges. Special tokens have RoBERTa's ids."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    unprintable = [byte for byte in range(256) if byte not in printable]
    characters = [chr(byte) for byte in printable]
    characters += [chr(256 + number) for number in range(len(unprintable))]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *characters, "<mask>"]
    return {token: number for number, token in enumerate(tokens)}
