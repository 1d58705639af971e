package generators

// work is something that a tool does.
type work struct {
	name    string
	methods int  // of the interface; zero: a whole project is made
	modules bool // the interface has types of other modules, besides standard ones
	cold    bool // the go command's build cache is empty
	again   bool // nothing has changed since the last run
	team    bool // the project is made of a team's template set, a module that is in the cache
	update  bool // a project of 40 files follows its templates
	rounds  int  // at most so many, of what takes long; zero: all
}

const fewRounds, coldRounds = 3, 2

func works() []work {
	return []work{
		{name: "generate, 10 methods", methods: 10},
		{name: "generate, 200 methods", methods: 200},
		{name: "generate, 1000 methods", methods: 1000, rounds: fewRounds},
		{name: "generate, 10 methods, types of modules", methods: 10, modules: true},
		{name: "generate, 200 methods, types of modules", methods: 200, modules: true},
		{name: "generate, 1000 methods, types of modules", methods: 1000, modules: true, rounds: fewRounds},
		{name: "cold build cache, 10 methods", methods: 10, cold: true, rounds: coldRounds},
		{name: "cold build cache, 10 methods, types of modules", methods: 10, modules: true, cold: true, rounds: coldRounds},
		{name: "nothing changed, 10 methods", methods: 10, again: true},
		{name: "nothing changed, 200 methods", methods: 200, again: true},
		{name: "nothing changed, 200 methods, types of modules", methods: 200, modules: true, again: true},
		{name: "a new project"},
		{name: "a new project, a team's templates", team: true},
		{name: "an update of 40 files", update: true},
	}
}

// does says whether the tool has a way to do the work.
func (t tool) does(w work) bool {
	if t.makes != nil {
		return w.methods == 0 && !w.team && !w.update
	}
	return w.methods > 0 || t.name == OursName
}
