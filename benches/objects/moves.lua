-- A move generator: counts positions of a game like draughts on 8 by 8 squares, by search with undo.
-- Style: arrays of small objects, methods behind shared metatables, pieces as subclasses with their own steps.
-- small: 3
local n = tonumber((...)) or 7

local Piece = {}
Piece.__index = Piece
local function piece_class(steps, letter)
  local c = setmetatable({ steps = steps, letter = letter }, { __index = Piece })
  c.__index = c
  return c
end
local Man = { white = piece_class({ { 1, 1 }, { -1, 1 } }, "m"), black = piece_class({ { 1, -1 }, { -1, -1 } }, "M") }
local all = { { 1, 1 }, { -1, 1 }, { 1, -1 }, { -1, -1 } }
local King = { white = piece_class(all, "k"), black = piece_class(all, "K") }

local function new(class, side, x, y) return setmetatable({ side = side, x = x, y = y }, class) end
function Piece:is_enemy(other) return other ~= nil and other.side ~= self.side end
function Piece:crowned(y) return (self.side == "white" and y == 8) or (self.side == "black" and y == 1) end

local Move = {}
Move.__index = Move
function Move.new(piece, x, y, captured)
  return setmetatable({ piece = piece, x0 = piece.x, y0 = piece.y, x = x, y = y, captured = captured }, Move)
end

local Board = {}
Board.__index = Board
function Board.new()
  local self = setmetatable({ squares = {}, pieces = { white = {}, black = {} }, turn = "white" }, Board)
  for x = 1, 8 do self.squares[x] = {} end
  return self
end
function Board:put(piece)
  self.squares[piece.x][piece.y] = piece
  local list = self.pieces[piece.side]
  list[#list + 1] = piece
end
function Board:at(x, y)
  local column = self.squares[x]
  return column and column[y]
end
local function inside(x, y) return x >= 1 and x <= 8 and y >= 1 and y <= 8 end
function Board:moves()
  local jumps, steps = {}, {}
  for _, piece in ipairs(self.pieces[self.turn]) do
    if not piece.dead then
      for _, d in ipairs(piece.steps) do
        local x, y = piece.x + d[1], piece.y + d[2]
        if inside(x, y) then
          local there = self:at(x, y)
          if there == nil then
            steps[#steps + 1] = Move.new(piece, x, y)
          elseif piece:is_enemy(there) then
            local x2, y2 = x + d[1], y + d[2]
            if inside(x2, y2) and self:at(x2, y2) == nil then jumps[#jumps + 1] = Move.new(piece, x2, y2, there) end
          end
        end
      end
    end
  end
  return #jumps > 0 and jumps or steps
end
function Board:play(move)
  local piece, s = move.piece, self.squares
  s[piece.x][piece.y] = nil
  piece.x, piece.y = move.x, move.y
  s[piece.x][piece.y] = piece
  local captured = move.captured
  if captured then
    s[captured.x][captured.y] = nil
    captured.dead = true
  end
  if piece.letter:lower() == "m" and piece:crowned(move.y) then
    move.promoted = getmetatable(piece)
    setmetatable(piece, King[piece.side])
  end
  self.turn = self.turn == "white" and "black" or "white"
end
function Board:undo(move)
  local piece, s = move.piece, self.squares
  if move.promoted then setmetatable(piece, move.promoted) end
  s[piece.x][piece.y] = nil
  piece.x, piece.y = move.x0, move.y0
  s[piece.x][piece.y] = piece
  local captured = move.captured
  if captured then
    captured.dead = nil
    s[captured.x][captured.y] = captured
  end
  self.turn = self.turn == "white" and "black" or "white"
end
function Board:count(depth)
  if depth == 0 then return 1 end
  local sum = 0
  for _, move in ipairs(self:moves()) do
    self:play(move)
    sum = sum + self:count(depth - 1)
    self:undo(move)
  end
  return sum
end
function Board:show()
  local rows = {}
  for y = 8, 1, -1 do
    local row = {}
    for x = 1, 8 do
      local piece = self:at(x, y)
      row[x] = piece and piece.letter or "."
    end
    rows[#rows + 1] = table.concat(row)
  end
  return table.concat(rows, "/")
end

local board = Board.new()
for y = 1, 3 do
  for x = 1, 8 do
    if (x + y) % 2 == 0 then
      board:put(new(Man.white, "white", x, y))
      board:put(new(Man.black, "black", 9 - x, 9 - y))
    end
  end
end
local before = board:show()
local known = { 7, 49, 302, 1469, 7361 }
local count
for depth = 1, n do
  count = board:count(depth)
  if known[depth] and depth <= 4 and count ~= known[depth] then error("moves: " .. depth .. ": " .. count) end
end
if board:show() ~= before then error("moves: " .. board:show()) end
print("moves", count, before)
