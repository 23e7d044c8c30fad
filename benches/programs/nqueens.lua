-- All solutions of the n-queens problem by backtracking.
-- small: 5
local n = tonumber((...)) or 11

local function safe(board, row, column)
  for i = 1, row - 1 do
    local c = board[i]
    if c == column or c - i == column - row or c + i == column + row then
      return false
    end
  end
  return true
end

local function place(board, row, size)
  if row > size then return 1 end
  local found = 0
  for column = 1, size do
    if safe(board, row, column) then
      board[row] = column
      found = found + place(board, row + 1, size)
    end
  end
  return found
end

local known = { 1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2680 }
local result
for _ = 1, 2 do
  result = place({}, 1, n)
  if known[n] and result ~= known[n] then error("queens found " .. result) end
end
print("nqueens", n, result)
