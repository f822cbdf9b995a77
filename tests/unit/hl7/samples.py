"""Synthetic messages the tests of this folder share."""

ADT = (
    "MSH|^~\\&|EHR|CLINIC|CLEAN|CLAIM|20260803101500||ADT^A04^ADT_A01|MSG1|P|2.5.1\r"
    "EVN|A04|20260803101500\r"
    "PID|1||12345^^^CLINIC^MR~999^^^STATE^SS||DOE&VAN^JANE^Q||19800101|F\r"
    "PV1|1|R|IOP^^^CLINIC||||1234567893^SMITH^ANN\r"
)

DFT = (
    "MSH|^~\\&|EHR|CLINIC|CLEAN|CLAIM|20260803101500||DFT^P03|MSG2|P|2.5.1\r"
    "EVN|P03|20260803\r"
    "PID|1||12345^^^CLINIC^MR||DOE^JANE\r"
    "FT1|1|||20260801|||90853\r"
    "PR1|1||90853\r"
    "ZSN|first\r"
    "FT1|2|||20260802|||90834\r"
    "DG1|1||F33.1\r"
    "IN1|1|PPO|60054\r"
    "IN2|1\r"
    "ZIN|own\r"
    "IN1|2|HMO|87726\r"
)


def message(**msh: str) -> bytes:
    """An ADT whose MSH fields are replaced: `message(msh_12="2.9")`."""
    lines = ADT.split("\r")
    fields = lines[0].split("|") + [""] * 12
    for name, value in msh.items():
        fields[int(name.removeprefix("msh_")) - 1] = value
    lines[0] = "|".join(fields).rstrip("|")
    return "\r".join(lines).encode()
