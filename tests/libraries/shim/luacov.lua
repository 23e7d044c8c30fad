-- Coverage is not measured.
return {}
