-- Counts installs by outcome, error, system and day. The outcome is derived from the names of the kit's events; an
-- install with both a success and an error counts as a success. An install that has neither succeeded nor failed is
-- `silent` if its last event is earlier than `silentBeforeMs`, and otherwise `running`. It is `linked` if an instance has
-- named it in a heartbeat; `heartbeatAfterMs` has the times from success to the first heartbeat of such an instance.
WITH
    tries AS
    (
        SELECT
            attempt,
            max(event = 'Installation Success') AS isSuccess,
            max(event = 'Installation Errors') AS isError,
            argMaxIf(JSONExtractString(dimensions, 'error'), (last, dimensions), event = 'Installation Errors') AS error,
            argMax(JSONExtractString(dimensions, 'os'), (last, dimensions)) AS os,
            min(first) AS began,
            minIf(first, event = 'Installation Success') AS succeededAt,
            max(last) AS ended
        FROM attempts
        GROUP BY attempt
        HAVING toDate(began, {zone:String}) >= {from:Date} AND toDate(began, {zone:String}) <= {to:Date}
    ),
    links AS
    (
        SELECT installId, min(firstSeen) AS heartbeatAt
        FROM (SELECT iid, max(installId) AS installId, min(first) AS firstSeen FROM instances GROUP BY iid)
        WHERE installId != ''
        GROUP BY installId
    )
SELECT
    multiIf(isSuccess, 'success', isError, 'error', toUnixTimestamp64Milli(ended) < {silentBeforeMs:Int64}, 'silent', 'running') AS outcome,
    if(outcome = 'error', error, '') AS error,
    os,
    toDate(began, {zone:String}) AS day,
    count() AS installs,
    groupArrayIf(toUnixTimestamp64Milli(succeededAt) - toUnixTimestamp64Milli(began), isSuccess) AS durationsMs,
    countIf(installId != '') AS linked,
    groupArrayIf(
        greatest(toUnixTimestamp64Milli(heartbeatAt) - toUnixTimestamp64Milli(succeededAt), 0),
        isSuccess AND installId != '') AS heartbeatAfterMs
FROM tries
LEFT JOIN links ON tries.attempt = links.installId
GROUP BY outcome, error, os, day
ORDER BY day, outcome, error, os
