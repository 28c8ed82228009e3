# The frames to and from the client (Wire.swift), once the walls stand: one request is read, questions are asked, one answer is given.
import json
import os

SOCKET, VERSION, PAYLOAD_BYTES = 3, 1, 64 << 20
RUN, ASK, ANSWER, RESULT = 3, 4, 5, 6
PROTOCOL_FAULT = 73


class DataError(Exception):
    """Data that the script asks for cannot be given: n8n's ExpressionError."""


def read_exactly(count):
    data = bytearray()
    while len(data) < count:
        piece = os.read(SOCKET, min(count - len(data), 1 << 20))
        if not piece:
            os._exit(0)
        data += piece
    return bytes(data)


def receive(expected):
    header = read_exactly(6)
    length = int.from_bytes(header[:4], "big") - 2
    if header[4] != VERSION or header[5] != expected or not 0 <= length <= PAYLOAD_BYTES:
        os._exit(PROTOCOL_FAULT)
    return read_exactly(length)


def send(kind, text):
    payload = text.encode("utf-8", "replace")
    data = memoryview((len(payload) + 2).to_bytes(4, "big") + bytes([VERSION, kind]) + payload)
    while data:
        data = data[os.write(SOCKET, data):]


def ask(question):
    """The client's answer to a question of ScopeAnswers.swift."""
    send(ASK, json.dumps(question))
    answer = json.loads(receive(ANSWER))
    if "error" in answer:
        raise DataError(answer["error"]["message"])
    return answer.get("value")
