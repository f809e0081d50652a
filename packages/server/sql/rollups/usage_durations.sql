WITH
    toUInt32(least(greatest(durationMs, 0), 4294967295)) AS ms,
    toUInt32(floor(log2(greatest(ms, 16)))) - 4 AS octave
SELECT source, event, toDate(timestamp) AS day, dimensions, facts,
    toUInt16(if(ms < 16, ms, 16 * octave + bitShiftRight(ms, toUInt8(octave)))) AS bucket,
    toDate(receivedAt) AS rd, toInt64(count()) AS count
FROM {events}
WHERE {isUsage} AND durationMs IS NOT NULL
GROUP BY source, event, day, dimensions, facts, bucket, rd
