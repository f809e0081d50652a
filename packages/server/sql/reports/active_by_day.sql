{population}
SELECT arrayJoin(days) AS day, count() AS instances FROM population WHERE leftOut = '' GROUP BY day ORDER BY day
