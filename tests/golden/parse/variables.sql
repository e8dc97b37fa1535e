-- Variables stand for names, constants and parts of texts, from the DEFINE on; unknown ones in texts stay.
DEFINE source = 'readings';
DEFINE top = '3';
DEFINE who = 'o''hara';
SELECT ${top}, 'by ${who} and ${nobody}', '$${top}' FROM ${source} LIMIT 1;
UNDEFINE top;
SELECT '${top}' FROM ${source};
---- printed
DEFINE source='readings';
DEFINE top='3';
DEFINE who='o''hara';
SELECT
  3,
  'by o''hara and ${nobody}',
  '${top}'
FROM READINGS READINGS
LIMIT 1;
UNDEFINE top;
SELECT '${top}'
FROM READINGS READINGS;
