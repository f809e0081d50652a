-- Each version, with the number of instances that ever ran it and when the third of them first did.
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
