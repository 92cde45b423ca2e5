-- The newest schema, for a file that is new. An older file gets there by migrations/; a test holds both, and
-- schema.py, to the same result.

CREATE TABLE requests (
    request_id             TEXT    NOT NULL PRIMARY KEY,  -- grows with time: its index is appended to
    started_at_s           DOUBLE  NOT NULL,              -- Unix time
    caller                 TEXT    NOT NULL,              -- a name, never a key
    dialect                TEXT    NOT NULL,
    requested_model        TEXT    NOT NULL,
    profile                TEXT,
    tier                   TEXT,
    score                  DOUBLE,
    reasons                TEXT,                          -- JSON: [[signal, value, share], ...]
    rules                  TEXT,                          -- JSON: [name, ...]
    chosen_model           TEXT,
    chosen_provider        TEXT,
    model                  TEXT,                          -- the one that answered
    provider               TEXT,
    stream                 BOOLEAN NOT NULL,
    input_tokens           BIGINT,                        -- NULL: not reported, here and below
    output_tokens          BIGINT,
    cache_read_tokens      BIGINT,                        -- part of input_tokens
    cache_write_tokens     BIGINT,                        -- part of input_tokens
    cache_write_1h_tokens  BIGINT,                        -- part of cache_write_tokens
    reasoning_tokens       BIGINT,                        -- part of output_tokens
    cost_picodollars       BIGINT,                        -- 1e-12 USD; NULL: not known
    baseline_picodollars   BIGINT,                        -- the same usage at the baseline model's price
    price_source           TEXT,
    rates                  TEXT,                          -- JSON: the USD per million tokens charged, by kind
    first_token_ms         DOUBLE,
    total_ms               DOUBLE  NOT NULL,
    status                 INTEGER NOT NULL,              -- sent to the caller
    outcome                TEXT    NOT NULL,              -- complete, partial, failed, cancelled
    fault                  TEXT,
    dropped                TEXT,                          -- JSON: [name, ...] that the dialect could not carry
    category               TEXT,                          -- the kind of task
    confidence             DOUBLE                         -- how sure the tier was, 0 to 1
);

CREATE INDEX requests_by_time ON requests (started_at_s);

CREATE TABLE attempts (
    request_id     TEXT    NOT NULL,
    number         INTEGER NOT NULL,
    model          TEXT    NOT NULL,
    provider       TEXT    NOT NULL,
    started_ms     DOUBLE  NOT NULL,                      -- from the request's start
    status         INTEGER,
    outcome        TEXT    NOT NULL,
    fault          TEXT,
    first_byte_ms  DOUBLE,                                -- from the attempt's start, as total_ms
    total_ms       DOUBLE  NOT NULL,
    PRIMARY KEY (request_id, number)
);

CREATE TABLE side_calls (                                 -- what a request cost besides its answer
    request_id             TEXT    NOT NULL,
    number                 INTEGER NOT NULL,
    kind                   TEXT    NOT NULL,              -- judge, sidecar, draft
    model                  TEXT    NOT NULL,
    provider               TEXT    NOT NULL,
    outcome                TEXT    NOT NULL,              -- complete, failed, cancelled, cached
    fault                  TEXT,
    input_tokens           BIGINT,
    output_tokens          BIGINT,
    cost_picodollars       BIGINT,                        -- 1e-12 USD; NULL: not known
    total_ms               DOUBLE  NOT NULL,
    PRIMARY KEY (request_id, number)
);

CREATE TABLE feedback (
    feedback_id    TEXT    NOT NULL PRIMARY KEY,          -- the request's id, where it is about one
    at_s           DOUBLE  NOT NULL,                      -- Unix time
    caller         TEXT    NOT NULL,
    quality        DOUBLE  NOT NULL,                      -- 0 to 1
    score          DOUBLE,                                -- of the request, here and below
    tier           TEXT,
    category       TEXT,
    profile        TEXT,
    model          TEXT,
    comment        TEXT
);

CREATE TABLE calibrations (
    number         INTEGER NOT NULL PRIMARY KEY,
    at_s           DOUBLE  NOT NULL,
    labels         INTEGER NOT NULL,                      -- how many reports it rests on
    configured     TEXT    NOT NULL,                      -- JSON: the boundaries it started from
    boundaries     TEXT    NOT NULL,                      -- JSON: what it found
    revoked_at_s   DOUBLE
);

CREATE TABLE alembic_version (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

INSERT INTO alembic_version VALUES ('0003');
