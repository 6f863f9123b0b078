package dcgan

// Damage is a file of a run that is damaged, and what is wrong with it in one line that names it.
type Damage struct{ File, Reason string }
