{population}
SELECT leftOut, count() AS instances FROM population GROUP BY leftOut ORDER BY leftOut
