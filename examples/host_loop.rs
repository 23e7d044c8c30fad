//! A host that calls a script's function in a loop: `cargo run --release --example host_loop [frames]`.
//!
//! A small simulation: the script says how the particles move, the host owns them, and calls
//! `update(particle, dt)` for each of them in each frame. After the first calls the function is
//! native code; the statistics at the end show it.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use perilune::{Function, Lua, Result, UserData, UserDataFields};

const SCRIPT: &str = r#"
local gravity = -9.81

--- Moves a particle; answers whether it hit the ground.
function update(p, dt)
  local y = p.y + p.speed * dt
  if y < 0 then
    p.y, p.speed = -y, -p.speed * 0.5
    bounced(p.id)
    return true
  end
  p.y, p.speed = y, p.speed + gravity * dt
  return false
end

--- The same for numbers, without a host object.
function fall(y, speed, dt)
  y = y + speed * dt
  if y < 0 then
    return -y, -speed * 0.5
  end
  return y, speed + gravity * dt
end
"#;

struct Particle {
    id: i64,
    y: f64,
    speed: f64,
}

impl UserData for Particle {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_field_method_get("id", |_, p| Ok(p.id));
        fields.add_field_method_get("y", |_, p| Ok(p.y));
        fields.add_field_method_get("speed", |_, p| Ok(p.speed));
        fields.add_field_method_set("y", |_, p, y| {
            p.y = y;
            Ok(())
        });
        fields.add_field_method_set("speed", |_, p, speed| {
            p.speed = speed;
            Ok(())
        });
    }
}

fn main() -> Result<()> {
    let frames: u32 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(2000);
    let lua = Lua::new();
    let bounces = Rc::new(Cell::new(0));
    let count = Rc::clone(&bounces);
    let bounced = lua.create_function(move |_, _id: i64| {
        count.set(count.get() + 1);
        Ok(())
    })?;
    lua.globals().set("bounced", bounced)?;
    lua.load(SCRIPT).set_name("@particles.lua").exec()?;

    // Host objects.
    let update: Function = lua.globals().get("update")?;
    let particles = (0..10)
        .map(|i| lua.create_userdata(Particle { id: i, y: 10.0 + i as f64, speed: 0.0 }))
        .collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    let mut reported = 0;
    for _ in 0..frames {
        for particle in &particles {
            if update.call::<bool>((particle, 0.01))? {
                reported += 1;
            }
        }
    }
    let time = start.elapsed();
    assert_eq!(reported, bounces.get());
    let calls = frames * particles.len() as u32;
    println!("{calls} updates of objects, {reported} bounces");
    eprintln!("{:.0} ns per call", time.as_nanos() as f64 / f64::from(calls));

    // Numbers only.
    let fall: Function = lua.globals().get("fall")?;
    let (mut y, mut speed) = (10.0, 0.0);
    let start = Instant::now();
    for _ in 0..calls {
        (y, speed) = fall.call::<(f64, f64)>((y, speed, 0.01))?;
    }
    let time = start.elapsed();
    println!("{calls} updates of numbers, at rest: {}", y < 0.1 && speed.abs() < 1.0);
    eprintln!("{:.0} ns per call", time.as_nanos() as f64 / f64::from(calls));

    let stats = lua.jit_stats();
    println!("compiled: {}", stats.functions > 0);
    eprint!("{}", stats.table());
    Ok(())
}
