-- For each version that instances have run or the maker has spoken of: how many instances have run it, when the third
-- one first ran it (0 if fewer than three have), and what the maker has said last.
SELECT
    version,
    sum(length(times)) AS instances,
    max(if(length(times) >= 3, toUnixTimestamp64Milli(arraySort(times)[3]), 0)) AS thirdMs,
    max(lastSaid) AS said,
    max(lastMs) AS declaredMs
FROM
(
    SELECT version, groupArray(began) AS times, '' AS lastSaid, toInt64(0) AS lastMs
    FROM
    (
        SELECT iid, JSONExtractString(facts, 'version') AS version, min(first) AS began
        FROM instances
        GROUP BY iid, version
    )
    WHERE version != ''
    GROUP BY version
    UNION ALL
    SELECT version, CAST([] AS Array(DateTime64(3, 'UTC'))) AS times, argMax(said, atMs) AS lastSaid, argMax(releasedMs, atMs) AS lastMs
    FROM releases
    GROUP BY version
)
GROUP BY version
