"""What an edge sends (contracts 6.2): the detections, which are nearly all of it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Ulid = Annotated[str, StringConstraints(pattern=r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$")]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")]
Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Worker(BaseModel):
    # A worker's name is never accepted.
    model_config = ConfigDict(extra="forbid")

    worker_id: Id
    role: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    trade: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Frame(BaseModel):
    captured_at: AwareDatetime
    index: Annotated[int, Field(ge=0)] | None = None


class Footage(BaseModel):
    edge_path: str | None = None
    s3_key: str | None = None


class Detection(BaseModel):
    detection_id: Ulid
    detected_at: AwareDatetime
    kind: Kind
    priority: Annotated[int, Field(ge=1, le=5)]
    zone_id: Id
    camera_id: Id
    missing_ppe: list[Kind] = []
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    worker: Worker | None = None
    frame: Frame
    footage: Footage | None = None


class Event(BaseModel):
    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    source: str
    subject: str
    time: AwareDatetime
    type: Literal["com.hardhatpulse.detection.recorded.v1"]
    data: Detection
