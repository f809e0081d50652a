-- For each version: how many instances have ever run it, and when the third one first ran it (0 if fewer than three
-- have).
SELECT
    version,
    length(times) AS instances,
    if(instances >= 3, toUnixTimestamp64Milli(arraySort(times)[3]), 0) AS releasedMs
FROM
(
    SELECT version, groupArray(began) AS times
    FROM
    (
        SELECT iid, JSONExtractString(facts, 'version') AS version, min(first) AS began
        FROM instances
        GROUP BY iid, version
    )
    WHERE version != ''
    GROUP BY version
)
