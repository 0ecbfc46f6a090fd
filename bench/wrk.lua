-- Requests of ever other visits and words. Lines of WRK_FILE: product id, tab, title.
-- WRK_KIND is recommendations or search, WRK_KEY an API key with its scope.
local ids, titles = {}, {}
for line in io.lines(os.getenv("WRK_FILE")) do
  local id, title = line:match("^([^\t]+)\t(.*)$")
  if id then
    ids[#ids + 1] = id
    titles[#titles + 1] = title
  end
end
local kind = os.getenv("WRK_KIND")
local head = { Authorization = "Bearer " .. os.getenv("WRK_KEY") }
math.randomseed(1)

local function escaped(text)
  return (text:gsub("[^%w]", function(byte)
    return string.format("%%%02X", string.byte(byte))
  end))
end

local function searched()
  local words = {}
  for word in titles[math.random(#titles)]:gmatch("%S+") do
    words[#words + 1] = word
  end
  local first = math.random(math.max(#words - 1, 1))
  return escaped(table.concat(words, " ", first, math.min(first + 1, #words)))
end

request = function()
  if kind == "search" then
    return wrk.format("GET", "/v1/search?limit=20&q=" .. searched(), head)
  end
  local seen = {}
  for place = 1, 5 do
    seen[place] = escaped(ids[math.random(#ids)])
  end
  local path = "/v1/recommendations?placement=product&limit=10&context="
  return wrk.format("GET", path .. table.concat(seen, ","), head)
end
