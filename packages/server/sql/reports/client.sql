-- What the browsers of the counted instances did. A browser's messages belong to one visit as long as each comes at
-- most 30 minutes after the one before. Each row counts one thing that visits have: `kind` is `all` (every visit),
-- `day` (on which it began), `locale` and `agent` (that it told last), `route` (of a view), `control` (used), or `flow`
-- (from the route `name` to the route `next`, of one view and the following one). Messages more than a day ahead of
-- the collector's clock may be missing.
{population},
hits AS
(
    SELECT
        iid, sipHash64(anonymousId) AS browser, event, route, locale, userAgent,
        (timestamp, receivedAt, sequence) AS at,
        type = 'page' OR (type = 'track' AND has({pages:Array(String)}, event)) AS isView,
        type = 'track' AND NOT isView AND event != 'Web Vitals' AS isUse
    FROM events
    WHERE source = 'client' AND anonymousId != ''
      AND receivedAt >= toDateTime64(addDays({from:Date}, -2), 3, 'UTC')
      AND toDate(timestamp, {zone:String}) >= {from:Date} AND toDate(timestamp, {zone:String}) <= {to:Date}
      AND iid GLOBAL IN (SELECT iid FROM population WHERE leftOut = '')
),
numbered AS
(
    SELECT *, sum(isFirst) OVER (PARTITION BY iid, browser ORDER BY at) AS visit
    FROM
    (
        SELECT
            *,
            at.1 > lagInFrame(at.1) OVER (PARTITION BY iid, browser ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
                + INTERVAL 30 MINUTE AS isFirst
        FROM hits
    )
),
visits AS
(
    SELECT
        iid, browser, visit,
        toString(toDate(min(at.1), {zone:String})) AS day,
        toUnixTimestamp64Milli(max(at.1)) - toUnixTimestamp64Milli(min(at.1)) AS lengthMs,
        arrayMap(view -> view.2, arraySort(groupArrayIf((at, route), isView))) AS routes,
        groupArrayIf(event, isUse) AS controls,
        argMaxIf(locale, at, locale != '') AS language,
        argMaxIf(userAgent, at, userAgent != '') AS agent
    FROM numbered
    GROUP BY iid, browser, visit
)
SELECT
    thing.1 AS kind, thing.2 AS name, thing.3 AS next,
    count() AS count,
    uniqExact(iid, browser, visit) AS visits,
    uniqExact(iid) AS instances,
    quantilesExactIf(0.5, 0.9)(length(routes), kind = 'all') AS views,
    quantilesExactIf(0.5, 0.9)(lengthMs, kind = 'all') AS lengthsMs
FROM visits
ARRAY JOIN arrayConcat(
    [('all', '', ''), ('day', day, ''), ('locale', toString(language), ''), ('agent', toString(agent), '')],
    arrayMap(route -> ('route', toString(route), ''), routes),
    arrayMap(control -> ('control', toString(control), ''), controls),
    arrayMap((route, next) -> ('flow', toString(route), toString(next)), arrayPopBack(routes), arrayPopFront(routes))
) AS thing
GROUP BY kind, name, next
ORDER BY kind, count DESC, name, next
LIMIT 1000 BY kind
